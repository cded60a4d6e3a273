import assert from "node:assert/strict";
import { test } from "node:test";

import { HINT_STAYS, initial, mayFeed, mustAsk, mustMove, onCard, other, reduce, Store } from "../../web/js/state.js";

const SESSION = { member: "student-1", role: "student", room: "room-1", name: "Anna" };
const begin = (outbox = []) =>
  reduce(initial, { type: "page.session", session: SESSION, readUpTo: 0, dismissed: [], outbox });
const welcome = (more = {}) => ({
  type: "welcome", room: "room-1", me: "student-1", role: "student", last_seq: 0, now: 1_000_000,
  members: [{ id: "teacher-1", role: "teacher", name: "Maria", present: true, page: "p1" }],
  analysis: { mode: "M0", state: "off", reason: "not_agreed" }, hints_on: true, hints: [], ice_servers: [],
  ice_relay_only: false, chat_length: 4000, ...more,
});
const open = { type: "page.connection", connection: { state: "open" } };
const hint = (id, more = {}) => ({ type: "hint", id, at: 5, cue: "frowning", advice: "slow_down", ...more });
const run = (...events) => events.reduce(reduce, begin());

test("what was unsent before a reload waits again", () => {
  assert.deepEqual(begin([{ id: "a", text: "hi", at: 1 }]).messages.map(({ id, state }) => [id, state]), [["a", "sending"]]);
});

test("an event that nobody knows changes nothing", () => {
  const state = begin();
  assert.equal(reduce(state, { type: "something.new" }), state);
});

test("an acknowledgement does not move the number that a reconnect asks after", () => {
  // it may overtake a message of the other, which would then never be asked for
  const state = run({ type: "page.chat.sent", id: "a", text: "x", at: 1 }, { type: "chat.ack", id: "a", seq: 10, at: 1, state: "relayed" });
  assert.equal(state.lastSeq, 0);
  assert.equal(reduce(state, { type: "chat.message", id: "b", seq: 9, sender: "teacher-1", text: "y", at: 1 }).lastSeq, 9);
});

test("consent is asked for only while nothing but the answer is missing", () => {
  assert.equal(mustAsk(run(welcome())), true);
  assert.equal(mustAsk(run(welcome({ consent: false }))), false);
  for (const reason of ["not_allowed", "on_device_only", "vision_down"]) {
    assert.equal(mustAsk(run(welcome({ analysis: { mode: "M0", state: "off", reason } }))), false);
  }
});

test("a no that the server has not heard survives the next welcome", () => {
  assert.equal(run(welcome({ consent: true }), { type: "page.consent", agreed: false }, welcome({ consent: true })).consent, false);
});

test("what was said on another device is known at once, unless this page has said something since", () => {
  const there = (agreed) => ({ type: "consent", agreed });
  const known = (...events) => {
    const { consent, unheard } = run(welcome(), ...events);
    return [consent, unheard];
  };
  assert.deepEqual(known(there(false)), [false, false]);
  assert.equal(mustAsk(run(welcome(), there(false))), false);
  assert.deepEqual(known(there(true), there(false)), [false, false]);
  assert.deepEqual(known(no, there(true)), [false, true]);
  assert.deepEqual(known(no, there(false)), [false, false]);
});

test("a yes that could not be stored is no consent", () => {
  assert.equal(run(welcome(), { type: "page.consent", agreed: true }, { type: "problem", code: "store_down" }).consent, false);
});

const analysis = (reason, mode = "M0") => ({ type: "analysis", mode, state: "off", reason });
const yes = { type: "page.consent", agreed: true };
const no = { type: "page.consent", agreed: false };

test("a student whose guardian is missing has agreed, and is not asked again", () => {
  const state = run(welcome(), yes, analysis("guardian_missing"));
  assert.deepEqual([state.consent, state.unheard, mustAsk(state)], [true, false, false]);
  // somebody else's trouble with the store takes nothing back
  assert.equal(reduce(state, { type: "problem", code: "store_down" }).consent, true);
});

test("an answer that was changed or has ended elsewhere is followed, and not said again", () => {
  const agreed = run(welcome(), yes, analysis("guardian_missing"));
  const gone = reduce(agreed, analysis("not_agreed"));
  assert.deepEqual([gone.consent, gone.unheard], [false, false]);
  assert.equal(reduce(gone, welcome({ consent: false })).unheard, false);
  assert.equal(reduce(gone, analysis("connecting", "M3")).consent, true);
});

test("a yes on its way is not taken back by what the server told before it", () => {
  const state = run(welcome(), yes, analysis("not_agreed"));
  assert.deepEqual([state.consent, state.unheard], [true, true]);
  assert.equal(reduce(state, welcome()).unheard, true);
});

test("a no holds until the server has heard it, whatever comes meanwhile", () => {
  const watched = welcome({ consent: true, analysis: { mode: "M3", state: "watching" } });
  const state = run(watched, no, analysis("connecting", "M3"));
  assert.deepEqual([state.consent, state.unheard], [false, true]);
  assert.equal(reduce(state, watched).unheard, true);
  assert.equal(reduce(state, analysis("not_agreed")).unheard, false);
  assert.equal(run(watched, analysis("vision_down"), no, analysis("connecting", "M3")).consent, false);
});

test("a yes is said again only where it is surely missing", () => {
  const down = analysis("vision_down");
  assert.equal(run(welcome({ analysis: down }), yes, welcome({ analysis: down })).unheard, false);
  assert.equal(run(welcome({ analysis: down }), yes, analysis("not_agreed")).consent, false);
});

test("a teacher's page has no answer of its own", () => {
  const teacher = run(welcome({ role: "teacher" }), analysis("connecting", "M3"), analysis("not_agreed"));
  assert.equal(teacher.consent, null);
});

test("what the page of choices has stored counts at once", () => {
  const state = run(welcome(), no, { type: "page.consent.elsewhere", agreed: true });
  assert.deepEqual([state.consent, state.unheard], [true, false]);
});

test("the analyser is fed only while everything allows it", () => {
  const watched = { mode: "M3", state: "watching" };
  const good = run(welcome({ consent: true, analysis: watched }), open, { type: "page.media", camera: "on", microphone: "on" });
  assert.equal(mayFeed(good), true);
  const against = [
    { type: "page.media", camera: "off", microphone: "on" },
    { type: "page.consent", agreed: false },
    { type: "page.connection", connection: { state: "lost" } },
    { type: "analysis", mode: "M0", state: "off", reason: "not_agreed" },
    { type: "analysis", mode: "M1", state: "off" },
    ...["hints_off", "guardian_missing", "on_device_only", "not_allowed"].map((reason) => analysis(reason, "M3")),
    welcome({ role: "teacher", consent: true, analysis: watched }),
  ];
  for (const event of against) assert.equal(mayFeed(reduce(good, event)), false, JSON.stringify(event));
});

test("an analyser that moved is fed by a new session, once for each move", () => {
  const watched = run(welcome({ consent: true, analysis: { mode: "M3", state: "watching" } }), open,
    { type: "page.media", camera: "on", microphone: "on" });
  const moving = reduce(watched, analysis("moving", "M3"));
  assert.equal(mustMove(moving, watched), true);
  assert.equal(mustMove(moving, moving), false);
  assert.equal(mustMove(watched, moving), false);
  assert.equal(mayFeed(moving), true);
});

test("a missing capacity does not end the attempts", () => {
  const state = run(welcome({ consent: true, analysis: { mode: "M3", state: "off", reason: "no_capacity" } }), open,
    { type: "page.media", camera: "on", microphone: "on" });
  assert.equal(mayFeed(state), true);
});

test("a new hint takes the card, the one before goes to the list", () => {
  const state = run(welcome(), hint("a"), hint("b"));
  assert.equal(onCard(state).id, "b");
  assert.deepEqual(state.hints.map(({ id, shelved }) => [id, shelved]), [["a", true], ["b", false]]);
});

test("the same hint told twice is one hint", () => {
  assert.equal(run(welcome(), hint("a"), hint("a")).hints.length, 1);
});

test("hints from before a reload are on the card only while they are fresh and unanswered", () => {
  const now = 1_000_000;
  const state = run(welcome({ now, hints: [
    { id: "old", at: now - HINT_STAYS, cue: "chat", advice: "x" },
    { id: "answered", at: now - 1, cue: "chat", advice: "x", answered: true, helpful: true },
    { id: "fresh", at: now - 1, cue: "chat", advice: "x" },
  ] }));
  assert.deepEqual(state.hints.map(({ id, shelved }) => [id, shelved]), [["old", true], ["answered", true], ["fresh", false]]);
});

test("with hints switched off only the student's own call is shown", () => {
  const off = { type: "hints", on: false };
  assert.equal(onCard(run(welcome(), hint("a"), off)), null);
  assert.equal(onCard(run(welcome(), off, hint("a", { cue: "stuck_button" }))).id, "a");
});

test("the receipt tells of this press, not of an older one", () => {
  const pressed = run(welcome(), { type: "page.stuck", id: "a" }, { type: "stuck.ack", id: "old", delivered: true });
  assert.equal(pressed.stuck.state, "sending");
  assert.equal(reduce(pressed, { type: "stuck.ack", id: "a", delivered: true }).stuck.state, "delivered");
  assert.equal(reduce(pressed, { type: "stuck.ack", id: "a", delivered: false }).stuck.state, "kept");
  assert.equal(reduce(pressed, { type: "problem", code: "store_down" }).stuck.state, "failed");
});

test("the other is the teacher for a student, and the student for a teacher", () => {
  assert.equal(other(run(welcome())).id, "teacher-1");
  assert.equal(other(run(welcome({ role: "teacher" }))), null);
});

test("a store tells its listeners of changes only", () => {
  const store = new Store();
  let told = 0;
  store.subscribe(() => (told += 1));
  store.dispatch({ type: "something.new" });
  store.dispatch({ type: "hints", on: false });
  assert.equal(told, 1);
});
