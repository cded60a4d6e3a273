import assert from "node:assert/strict";
import { test } from "node:test";

import { shortened } from "../../web/js/names.js";

test("a name of an ordinary length stands as it is", () => {
  for (const name of ["", "Anna", "Maria Petrova", "Екатерина Константинопольская"]) assert.equal(shortened(name), name);
});

test("a long name gives its first words, and says that there are more", () => {
  assert.equal(shortened("Anastasia Wilhelmine Featherstonehaugh-Cholmondeley"), "Anastasia Wilhelmine…");
});

test("a long name of one word is cut, never within a character", () => {
  assert.equal(shortened("x".repeat(60)), `${"x".repeat(31)}…`);
  assert.equal(shortened("😀".repeat(60)), `${"😀".repeat(31)}…`);
});
