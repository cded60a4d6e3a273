import assert from "node:assert/strict";
import { test } from "node:test";

import { fragment, preferred, shrink } from "../../web/js/analyser.js";
import { sessionOf } from "../../web/js/call.js";
import { actionOf, lookOf } from "../../web/js/indicator.js";
import { loudness } from "../../web/js/media.js";
import { Outbox } from "../../web/js/outbox.js";
import { codeOf, memberOf, newId } from "../../web/js/place.js";
import { ceiling, pieces, SPAN, spanOf } from "../../web/js/spark.js";

class MemoryStorage {
  #items = new Map();
  getItem(key) {
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    this.#items.set(key, String(value));
  }
}

test("the outbox survives a reload, and two lessons in one tab do not mix", () => {
  const storage = new MemoryStorage();
  const first = new Outbox(storage, "one");
  first.keep({ id: "a", text: "x", at: 1 });
  first.keep({ id: "b", text: "y", at: 2 });
  first.settle("a");
  first.draft = "half a sen";
  assert.deepEqual(new Outbox(storage, "one").messages.map(({ id }) => id), ["b"]);
  assert.equal(new Outbox(storage, "one").draft, "half a sen");
  assert.deepEqual(new Outbox(storage, "two").messages, []);
});

test("the page's address names the member, under any prefix, and the fragment the code", () => {
  assert.equal(memberOf({ pathname: "/school/lesson/m1" }), "m1");
  assert.equal(codeOf({ hash: "#abc" }), "abc");
  assert.equal(codeOf({ hash: "" }), null);
});

test("ids are what the protocol allows, and differ", () => {
  const ids = new Set(Array.from({ length: 100 }, newId));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{22}$/);
});

test("VP8 goes first and nothing is lost", () => {
  const codecs = ["video/H264", "video/VP8", "video/rtx"].map((mimeType) => ({ mimeType }));
  assert.deepEqual(preferred(codecs).map(({ mimeType }) => mimeType), ["video/VP8", "video/H264", "video/rtx"]);
});

test("pictures are shrunk to 240 lines and never enlarged", () => {
  assert.deepEqual([720, 480, 240, 120, undefined].map(shrink), [3, 2, 1, 1, 1]);
});

test("a fragment carries the credentials, the section and the candidate", () => {
  const sdp = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:uu\r\na=ice-pwd:pp\r\n";
  assert.equal(
    fragment(sdp, { candidate: "candidate:1 1 udp 1 10.0.0.1 9 typ host", sdpMid: "0" }),
    "a=ice-ufrag:uu\r\na=ice-pwd:pp\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n",
  );
});

test("a description tells which connection it belongs to", () => {
  assert.equal(sessionOf("v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"), "4611731400430051336");
  assert.equal(sessionOf("v=0\r\n"), null);
});

test("loudness: silence is 0, a full wave is nearly 1", () => {
  assert.equal(loudness(new Float32Array(64)), 0);
  assert.equal(loudness(new Float32Array(64).fill(1)), 1);
  assert.ok(Math.abs(loudness(new Float32Array(64).fill(0.0316)) - 0.5) < 0.01);
});

test("a scale ends at a round number above the largest value", () => {
  assert.deepEqual([0, 0.3, 1, 42, 79, 2001].map(ceiling), [1, 0.5, 1, 50, 100, 5000]);
});

test("a line breaks where nothing came for a minute, and forgets what is older than an hour", () => {
  const now = 10 * SPAN;
  const at = (minutes) => ({ t: now - minutes * 60_000, value: 1 });
  const drawn = pieces([at(61), at(30), at(29.5), at(10), at(0)], now, 1);
  assert.deepEqual(drawn.map((piece) => piece.length), [2, 1, 1]);
  assert.deepEqual(drawn.at(-1), [[600, 0]]);
});

test("a young server's line fills the drawing, from ten minutes on", () => {
  const now = 10 * SPAN;
  const since = (minutes) => spanOf([{ t: now - minutes * 60_000, value: 1 }], now) / 60_000;
  assert.deepEqual([1, 25, 60, 90].map(since), [10, 25, 60, 60]);
  assert.equal(spanOf([], now), 600_000);
});

test("a figure that came late lies on the same time as the others", () => {
  const now = 10 * SPAN;
  const history = [{ t: now - 25 * 60_000, value: null }, { t: now, value: 1 }];
  assert.equal(spanOf(history, now), 25 * 60_000);
});

test("the indicator never promises what is not happening", () => {
  const state = (analysis, more = {}) => ({ analysis, connection: { state: "open" }, consent: true, role: "student", ...more });
  const watching = { mode: "M3", state: "watching", reason: null };
  assert.equal(lookOf(state(watching)).kind, "watching");
  assert.equal(lookOf(state(watching, { connection: { state: "lost" } })).kind, "off");
  assert.equal(lookOf(state(watching, { consent: false })).kind, "off");
  assert.equal(lookOf(state(watching, { consent: null, role: "teacher" })).kind, "watching");
  assert.equal(lookOf(state({ mode: "M3", state: "watching", reason: "no_face" })).kind, "unseen");
  assert.equal(lookOf(state({ mode: "M0", state: "off", reason: "not_allowed" }, { consent: null })).kind, "off");
});

test("an answer is asked for only where it would change something, and a yes can be taken back while a parent is waited for", () => {
  const action = (reason, consent, role = "student") => actionOf({ key: reason }, { role, consent });
  for (const consent of [null, true, false]) {
    assert.equal(action("not_allowed", consent), null);
    assert.equal(action("on_device_only", consent), null);
  }
  assert.equal(action("not_agreed", false), "indicator.allow");
  assert.equal(action("guardian_missing", true), "indicator.take_back");
  assert.equal(action("watching", true), "indicator.forbid");
  assert.equal(action("watching", null, "teacher"), null);
});

test("what is not allowed anyway is said before the student's no", () => {
  for (const reason of ["not_allowed", "on_device_only"]) {
    const analysis = { mode: "M0", state: "off", reason };
    // no catalogue is loaded here, so every key is unknown; the kind and the group are what counts
    assert.equal(lookOf({ analysis, connection: { state: "open" }, consent: false, role: "student" }).kind, "off");
  }
});
