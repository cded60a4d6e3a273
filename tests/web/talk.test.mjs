import assert from "node:assert/strict";
import { test } from "node:test";

import * as talk from "../../web/js/talk.js";

const ME = "student-1";
const OTHER = "teacher-1";
const pending = (id, text = "hello") => talk.sent([], { id, sender: ME, text, at: 1 });
const server = (id, seq, more = {}) => ({ id, seq, sender: OTHER, text: "x", at: 2, state: "relayed", ...more });

test("a sent message waits at the end, without a number", () => {
  const messages = talk.sent(talk.arrived([], server("a", 7), []), { id: "b", sender: ME, text: "hi", at: 3 });
  assert.deepEqual(messages.map(({ id, seq, state }) => [id, seq, state]), [["a", 7, "relayed"], ["b", null, "sending"]]);
});

test("what no server keeps is left out of a text before it is sent", () => {
  assert.equal(talk.sendable("a\0b \ud83d 👋"), "ab \ufffd 👋");
});

test("the same message sent again is one message", () => {
  const once = pending("a");
  assert.equal(talk.sent(once, { id: "a", sender: ME, text: "hello", at: 9 }), once);
});

test("an acknowledgement gives the number and the state", () => {
  const [message] = talk.acknowledged(pending("a"), { id: "a", seq: 4, at: 5, state: "held" });
  assert.deepEqual([message.seq, message.state, message.at], [4, "held", 5]);
});

test("a replay of our own message takes the place of the waiting one", () => {
  const messages = talk.arrived(pending("a"), server("a", 4, { sender: ME, text: "hello" }), []);
  assert.deepEqual(messages.map(({ id, seq }) => [id, seq]), [["a", 4]]);
});

test("two people may use the same id", () => {
  assert.equal(talk.arrived(pending("a"), server("a", 4), []).length, 2);
});

test("messages stand in the order of their numbers, whatever order they came in", () => {
  const messages = talk.arrived(talk.arrived([], server("b", 2), []), server("a", 1), []);
  assert.deepEqual(messages.map(({ seq }) => seq), [1, 2]);
});

test("a blocked message is for the input line, not for the list", () => {
  const messages = talk.acknowledged(pending("a"), { id: "a", seq: 1, at: 1, state: "blocked", findings: [] });
  assert.equal(talk.listed(messages).length, 0);
  assert.equal(talk.stopped(messages, ME).id, "a");
  assert.equal(talk.stopped(messages, OTHER), null);
});

test("a blocked message that was put away does not come back with a replay", () => {
  const replayed = server("a", 1, { sender: ME, state: "blocked" });
  assert.deepEqual(talk.arrived([], replayed, ["a"]), []);
  assert.equal(talk.arrived([], replayed, []).length, 1);
});

test("an appealed message that was put away before still stands in the list", () => {
  assert.equal(talk.arrived([], server("a", 1, { sender: ME, state: "appealed" }), ["a"]).length, 1);
});

test("what a person decided against is shown in the list, and is not offered for an appeal again", () => {
  const appealed = server("a", 1, { sender: ME, state: "appealed" });
  const messages = talk.arrived([appealed], server("a", 5, { sender: ME, state: "blocked", decided: true }), []);
  assert.equal(talk.stopped(messages, ME), null);
  assert.deepEqual(talk.listed(messages).map(({ seq, decided }) => [seq, decided]), [[5, true]]);
});

test("an appeal that comes after a person's decision is answered with that decision", () => {
  const blocked = talk.arrived([], server("a", 1, { sender: ME, state: "blocked" }), []);
  const messages = talk.acknowledged(blocked, { id: "a", seq: 1, at: 1, state: "blocked", decided: true });
  assert.equal(talk.stopped(messages, ME), null);
});

test("a released message moves to its new place, once", () => {
  const held = talk.arrived(talk.arrived([], server("a", 1, { sender: ME, state: "held" }), []), server("b", 2), []);
  const messages = talk.arrived(held, server("a", 3, { sender: ME, decided: true }), []);
  assert.deepEqual(messages.map(({ id, seq, state }) => [id, seq, state]), [["b", 2, "relayed"], ["a", 3, "relayed"]]);
});

test("news about one's own message is unread, too", () => {
  const messages = talk.arrived([], server("a", 3, { sender: ME, decided: true }), []);
  assert.equal(talk.unread(messages, ME, 2), 1);
});

test("a refused message keeps its text and can be tried again", () => {
  const refused = talk.refused(pending("a"), { id: "a", code: "store_down" });
  assert.deepEqual([refused[0].state, refused[0].code, refused[0].text], ["refused", "store_down", "hello"]);
  assert.equal(talk.retried(refused, "a")[0].state, "sending");
});

test("only messages of others after the last one in view are unread", () => {
  const messages = [server("a", 1), server("b", 2), server("c", 3, { sender: ME })].reduce(
    (list, message) => talk.arrived(list, message, []), []);
  assert.equal(talk.unread(messages, ME, 1), 1);
});

const MARKS = [
  ["nothing found", "hello", [], [["hello", false]]],
  ["in the middle", "call 123 now", [[5, 8]], [["call ", false], ["123", true], [" now", false]]],
  ["all of it", "123", [[0, 3]], [["123", true]]],
  ["after an emoji, in UTF-16 units", "😀 123", [[3, 6]], [["😀 ", false], ["123", true]]],
  ["overlapping findings are one mark", "abcdef", [[1, 4], [2, 5]], [["a", false], ["bcde", true], ["f", false]]],
  ["touching findings are one mark", "abcd", [[0, 2], [2, 4]], [["abcd", true]]],
  ["a span beyond the end", "abc", [[1, 99]], [["a", false], ["bc", true]]],
  ["an empty span", "abc", [[1, 1]], [["abc", false]]],
  ["an empty text", "", [], []],
];

for (const [name, text, spans, pieces] of MARKS) {
  test(`marks: ${name}`, () => {
    const findings = spans.map(([start, end]) => ({ kind: "phone", start, end }));
    assert.deepEqual(talk.marked(text, findings).map((piece) => [piece.text, piece.found]), pieces);
  });
}
