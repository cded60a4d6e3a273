import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../web/js/api.js";
import { outlines } from "../../web/js/bars.js";
import { heights, shareOf, stoppedOf, upheldOf } from "../../web/js/days.js";
import { Decisions } from "../../web/js/decisions.js";
import { meaningOf, sureness } from "../../web/js/judging.js";
import * as queues from "../../web/js/queue.js";

const NONE = { appealed: 0, held: 0, blocked: 0, sample: 0 };
const item = (id, why = "held", words = ["b", "a"]) => ({ id, why, words });
const answer = (items, waiting = {}) => ({ items, waiting: { ...NONE, ...waiting } });
const ids = ({ items }) => items.map(({ id }) => id);

test("the message in view keeps its place and its words when the list comes again", () => {
  const current = item("2", "held", ["x", "y"]);
  const queue = queues.taken(answer([item("1", "appealed"), item("2", "held", ["y", "x"]), item("3")]), { current });
  assert.deepEqual(ids(queue), ["2", "1", "3"]);
  assert.deepEqual(queue.items[0].words, ["x", "y"]);
});

test("a message that somebody else decided goes from view", () => {
  assert.deepEqual(ids(queues.taken(answer([item("3")]), { current: item("2") })), ["3"]);
});

test("what was decided here does not come back, and what the server has not heard of is not counted", () => {
  const decided = new Set([queues.nameOf(item("1"))]);
  const queue = queues.taken(answer([item("1"), item("2")], { held: 2 }), { decided, unsent: [item("1")] });
  assert.deepEqual(ids(queue), ["2"]);
  assert.equal(queues.total(queue), 1);
});

test("a stopped message that was decided and then appealed is another task", () => {
  const decided = new Set([queues.nameOf(item("1", "blocked"))]);
  assert.deepEqual(ids(queues.taken(answer([item("1", "appealed")]), { decided })), ["1"]);
});

test("what was left for later stays at the end, in this list and in the next", () => {
  const put = queues.postponed(queues.taken(answer([item("1"), item("2")])));
  assert.deepEqual(ids(put), ["2", "1"]);
  assert.deepEqual(ids(queues.taken(answer([item("1"), item("2"), item("3")]), { later: ["1"] })), ["2", "3", "1"]);
});

test("a decision takes its message out of the list and of the count", () => {
  const queue = queues.without(queues.taken(answer([item("1"), item("2")], { held: 2, sample: 1 })), item("1"));
  assert.deepEqual([ids(queue), queues.total(queue), queues.total(queue, "held")], [["2"], 2, 1]);
});

const SURE = [[1, "certain_contact"], [0.98, "certain_contact"], [0.9, "likely_contact"], [0.5, "leaning_contact"],
  [0.49, "leaning_ordinary"], [0.1, "likely_ordinary"], [0, "certain_ordinary"]];
for (const [probability, word] of SURE) {
  test(`how sure: ${probability}`, () => assert.equal(sureness({ probability, degraded: false }), word));
}
test("without its model the filter was not sure of anything", () => {
  assert.equal(sureness({ probability: 1, degraded: true }), "degraded");
});

const typed = { matches: (selector) => selector.includes("select") };
const PRESSES = [
  ["the letter", { key: "c", code: "KeyC" }, "contact"],
  ["the letter with caps lock", { key: "O", code: "KeyO" }, "ordinary"],
  ["the letter of a Dvorak keyboard, wherever it is", { key: "c", code: "KeyI" }, "contact"],
  ["another letter of a Dvorak keyboard at that place", { key: "j", code: "KeyC" }, null],
  ["the Cyrillic letter that looks the same", { key: "о", code: "KeyJ" }, "ordinary"],
  ["the place on a Cyrillic keyboard", { key: "щ", code: "KeyO" }, "ordinary"],
  ["text, on a Cyrillic keyboard", { key: "е", code: "KeyT" }, "text"],
  ["a key held down", { key: "c", code: "KeyC", repeat: true }, null],
  ["copying", { key: "c", code: "KeyC", ctrlKey: true }, null],
  ["choosing in a list", { key: "o", code: "KeyO", target: typed }, null],
  ["any other key", { key: "Tab", code: "Tab" }, null],
];
for (const [name, event, meaning] of PRESSES) {
  test(`a press: ${name}`, () => assert.equal(meaningOf(event), meaning));
}

class MemoryStorage {
  #items = new Map();
  getItem(key) {
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    this.#items.set(key, String(value));
  }
}

/** Decisions over a server that answers each request with the next of these statuses, 200 after the last. */
function desk(statuses, storage = new MemoryStorage()) {
  const sent = [];
  const pauses = [];
  let fire = null;
  const send = async (decision) => {
    const status = statuses.shift() ?? 200;
    sent.push(decision.id);
    if (status !== 200) throw new ApiError(status, "x");
  };
  const after = (act, pause) => {
    pauses.push(pause);
    fire = act;
  };
  return { decisions: new Decisions({ storage, send, changed() {}, after }), sent, pauses, storage, fire: () => fire() };
}
const decision = (id) => ({ id, why: "held", contact: false, kind: null });

test("a decision is kept until it is stored", async () => {
  const { decisions, sent } = desk([]);
  const sending = decisions.decide(decision("1"));
  assert.equal(decisions.unsent.length, 1);
  await sending;
  assert.deepEqual([sent, decisions.unsent, decisions.status.stored], [["1"], [], 1]);
});

test("decisions go one after another, in their order, and none twice", async () => {
  const { decisions, sent } = desk([]);
  await Promise.all([decisions.decide(decision("1")), decisions.decide(decision("2")), decisions.pump()]);
  assert.deepEqual([sent, decisions.status.stored], [["1", "2"], 2]);
});

test("one that does not go through stays first, and is tried again after growing pauses", async () => {
  const { decisions, sent, pauses, fire } = desk([0, 503]);
  await decisions.decide(decision("1"));
  await decisions.decide(decision("2"));
  assert.deepEqual([decisions.unsent.map(({ id }) => id), decisions.status.trouble], [["1", "2"], "failing"]);
  await fire();
  assert.deepEqual([sent, pauses, decisions.unsent, decisions.status], [["1", "1", "1", "2"], [2000, 4000], [],
    { stored: 2, overruled: 0, gone: 0, refused: 0, trouble: null }]);
});

test("a reload loses nothing", async () => {
  const { decisions, storage } = desk([500]);
  await decisions.decide(decision("1"));
  const next = desk([], storage);
  await next.decisions.pump();
  assert.deepEqual([next.sent, next.decisions.unsent], [["1"], []]);
});

test("what somebody else decided, and what is gone, does not hold up the rest", async () => {
  const { decisions } = desk([409, 404]);
  await decisions.decide(decision("1"));
  await decisions.decide(decision("2"));
  await decisions.decide(decision("3"));
  assert.deepEqual(decisions.status, { stored: 1, overruled: 1, gone: 1, refused: 0, trouble: null });
});

test("when the session is over, decisions are kept and not tried in vain", async () => {
  const { decisions, pauses } = desk([401]);
  await decisions.decide(decision("1"));
  assert.deepEqual([decisions.unsent.length, decisions.status.trouble, pauses], [1, "closed", []]);
});

test("shares of a day, and none where nothing happened", () => {
  const day = { relay: 90, hold: 4, block: 6, appeals: 2, upheld: 1 };
  assert.deepEqual([stoppedOf(day), upheldOf(day)], [{ part: 10, whole: 100 }, { part: 1, whole: 2 }]);
  assert.equal(shareOf(0, 0), null);
});

test("a histogram shows one message beside thousands, and nothing where there is none", () => {
  const [most, one, none] = heights([4000, 1, 0]);
  assert.equal(most, 1);
  assert.ok(one > 0.05 && one < 0.2);
  assert.equal(none, 0);
  assert.deepEqual(heights([0, 0]), [0, 0]);
});

test("bars stand on the ground, are never too low to be seen, and an empty place has none", () => {
  assert.deepEqual(outlines([1, null, 0.001]), ["M28 100V0h144V100Z", "M428 100V98h144V100Z"]);
});
