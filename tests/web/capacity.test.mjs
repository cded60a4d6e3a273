/** The operations page's tables of stages: in the order in which a picture or a message passes them. */

import assert from "node:assert/strict";
import test from "node:test";

import { inOrder, ours, whyOff } from "../../web/js/capacity.js";

const LOOK = ["receive", "wait", "look", "age", "hint"];

test("stages come in the order in which they are passed, and those that nothing came through are left out", () => {
  assert.deepEqual(inOrder({ age: {}, wait: {}, receive: {} }, LOOK), ["receive", "wait", "age"]);
});

test("a stage that the page does not know is shown before the whole, and not lost", () => {
  assert.deepEqual(inOrder({ hint: {}, age: {}, sketch: {}, look: {}, wait: {} }, LOOK), ["wait", "sketch", "look", "age", "hint"]);
});

test("nothing came through", () => {
  assert.deepEqual(inOrder({}, LOOK), []);
});

test("our share of all cores counts every process of ours", () => {
  const beside = [{ kind: "screening", count: 1, cpu: 0.1 }, { kind: "media", count: 2, cpu: 0.9 }];
  assert.equal(ours({ cpu: { process: 0.6, machine: 0.9, cores: 4 }, processes: beside }), 0.4);
  assert.equal(ours({ cpu: { process: 0.5, machine: 0.9, cores: 2 }, processes: [] }), 0.25);
});

test("while no model runs the page says why, and else nothing", () => {
  assert.equal(whyOff({ provider: "off", provider_reason: "expression.onnx: expected sha256 ab, got cd" }), "expression.onnx: expected sha256 ab, got cd");
  assert.equal(whyOff({ provider: "CPU", provider_reason: "no NVIDIA driver" }), "");
  assert.equal(whyOff({ provider: "off", provider_reason: null }), "");
});
