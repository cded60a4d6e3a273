import assert from "node:assert/strict";
import { test } from "node:test";

import { Answers } from "../../web/js/answers.js";
import { ApiError } from "../../web/js/api.js";
import { pressedOf, saidOf, sides, troubleOf } from "../../web/js/choice.js";
import { choicesOf, readerOf } from "../../web/js/links.js";

const YES = { given: true, at: 1, expires_at: 2 };
const NO = { given: false, at: 1, expires_at: 2 };
const answer = (purpose, given) => ({ purpose, given });

/** Answers whose server is played by the test: `plan` gives for each request a status, or a promise of one; 200 is a success. */
function played(plan) {
  const seen = { sent: [], saved: [], pauses: [], timers: [] };
  const answers = new Answers({
    send: async (said) => {
      seen.sent.push(`${said.purpose} ${said.given}`);
      const status = await plan.shift();
      if (status !== 200) throw new ApiError(status, "store_down");
      return { of: said };
    },
    saved: (view) => seen.saved.push(`${view.of.purpose} ${view.of.given}`),
    changed: () => undefined,
    after: (act, pause) => {
      seen.pauses.push(pause);
      seen.timers.push(act);
    },
  });
  return { answers, seen };
}

test("an answer that is saved waits no more", async () => {
  const { answers, seen } = played([200]);
  await answers.say(answer("hints", true));
  assert.equal(answers.of("hints"), null);
  assert.deepEqual(seen.saved, ["hints true"]);
});

test("a no that is not saved is tried again by itself, later each time, until it is", async () => {
  const { answers, seen } = played([503, 0, 200]);
  await answers.say(answer("hints", false));
  assert.equal(answers.of("hints").state, "failing");
  assert.equal(answers.unsaved, true);
  await seen.timers[0]();
  await seen.timers[1]();
  assert.deepEqual(seen.pauses, [2000, 4000]);
  assert.deepEqual(seen.saved, ["hints false"]);
  assert.equal(answers.unsaved, false);
});

test("a yes that is not saved is not tried again behind the person's back", async () => {
  const { answers, seen } = played([503]);
  await answers.say(answer("research", true));
  await answers.retry();
  assert.deepEqual([seen.sent.length, seen.timers.length, answers.unsaved], [1, 0, false]);
  assert.equal(answers.of("research").state, "failing");
});

test("the last press counts: it goes out after the one before, and an old no is not sent again after it", async () => {
  let answered;
  const { answers, seen } = played([new Promise((resolve) => (answered = resolve)), 200]);
  const first = answers.say(answer("hints", false));
  const second = answers.say(answer("hints", true));
  assert.deepEqual(seen.sent, ["hints false"]);
  answered(503);
  await Promise.all([first, second]);
  for (const timer of seen.timers) await timer();
  assert.deepEqual(seen.sent, ["hints false", "hints true"]);
  assert.deepEqual(seen.saved, ["hints true"]);
  assert.equal(answers.of("hints"), null);
});

test("purposes do not wait for one another", async () => {
  const { answers, seen } = played([new Promise(() => undefined), 200]);
  answers.say(answer("hints", false));
  await answers.say(answer("training", true));
  assert.deepEqual(seen.saved, ["training true"]);
  assert.equal(answers.of("hints").state, "sending");
});

test("what the server will never take is not tried again, and a session that is over says so", async () => {
  for (const [status, state] of [[403, "refused"], [422, "refused"], [401, "closed"]]) {
    const { answers, seen } = played([status]);
    await answers.say(answer("hints", false));
    assert.deepEqual([answers.of("hints").state, seen.timers.length, answers.unsaved], [state, 0, false]);
  }
});

test("nothing is chosen before an answer; a no counts when it is pressed, a yes when it is saved", () => {
  assert.equal(pressedOf(null, null), null);
  assert.equal(pressedOf(null, { ...answer("hints", true), state: "sending" }), null);
  assert.equal(pressedOf(YES, { ...answer("hints", false), state: "failing" }), false);
  assert.equal(pressedOf(NO, { ...answer("hints", true), state: "failing" }), false);
  assert.equal(pressedOf(YES, { ...answer("hints", false), state: "refused" }), true);
  assert.deepEqual([YES, NO].map((word) => pressedOf(word, null)), [true, false]);
});

test("a guardian's own word is the guardian's, a student's the student's", () => {
  const one = { purpose: "hints", own: YES, guardian: NO };
  assert.deepEqual(sides({ by: "guardian" }, one), [NO, YES]);
  assert.deepEqual(sides({ by: "self" }, one), [YES, NO]);
});

test("a student's yes to hints is said to be for this lesson, every other one until its end", () => {
  const said = (by, purpose) => saidOf({ by }, { purpose }, YES, null);
  assert.equal(said("self", "hints"), "choices.said.lesson");
  assert.equal(said("guardian", "hints"), "choices.said.yes");
  assert.equal(said("self", "training"), "choices.said.yes");
});

test("trouble is told by what it means for the person", () => {
  assert.equal(troubleOf(null), null);
  assert.equal(troubleOf({ ...answer("hints", false), state: "sending" }), null);
  assert.equal(troubleOf({ ...answer("hints", true), state: "failing" }), "choices.failed.yes");
  assert.equal(troubleOf({ ...answer("hints", false), state: "failing" }), "choices.failed.hints");
  assert.equal(troubleOf({ ...answer("training", false), state: "failing" }), "choices.failed.no");
  assert.equal(troubleOf({ ...answer("training", false), state: "refused" }), "choices.failed.refused");
});

test("the policy knows its reader by the fragment, and takes nothing else for one", () => {
  assert.equal(readerOf({ hash: "#m_1-A" }), "m_1-A");
  for (const hash of ["", "#", "#a/b", "#../x", `#${"a".repeat(65)}`]) assert.equal(readerOf({ hash }), null);
  assert.match(choicesOf("m_1"), /\/consents\/m_1$/);
});
