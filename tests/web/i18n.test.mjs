import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { format, LANGUAGES, parse, pick } from "../../web/js/i18n.js";

const catalogues = Object.fromEntries(
  Object.keys(LANGUAGES).map((language) => [
    language, JSON.parse(readFileSync(new URL(`../../web/i18n/${language}.json`, import.meta.url), "utf8")),
  ]),
);
const say = (text, values, locale = "en") => format(parse(text), values, locale);

test("a plain text is itself", () => assert.equal(say("Hello"), "Hello"));
test("values take their places", () => assert.equal(say("{a} and {b}", { a: "x", b: 2 }), "x and 2"));
test("a number sign outside a plural is a number sign", () => assert.equal(say("# {a}", { a: 1 }), "# 1"));

test("plurals follow the language's rules", () => {
  const text = "{count, plural, one {# слово} few {# слова} many {# слов} other {# слова}}";
  const said = [1, 2, 5, 11, 21, 1.5].map((count) => say(text, { count }, "ru"));
  assert.deepEqual(said, ["1 слово", "2 слова", "5 слов", "11 слов", "21 слово", "1,5 слова"]);
});

test("an exact number goes before its category", () => {
  assert.equal(say("{n, plural, =0 {none} one {one} other {#}}", { n: 0 }), "none");
});

test("values stand inside cases", () => {
  assert.equal(say("{n, plural, one {{who}: #} other {{who}: # of them}}", { n: 2, who: "Anna" }), "Anna: 2 of them");
});

for (const broken of ["{", "}", "{a", "{a, select, x {y}}", "{n, plural, one {x}}", "{n, plural, other {x}", "a } b"]) {
  test(`not a message: ${broken}`, () => assert.throws(() => parse(broken), SyntaxError));
}

test("the first language that we speak is taken", () => {
  assert.equal(pick(["de-DE", "uk-UA", "ru"]), "uk");
  assert.equal(pick([null, "fr"]), "en");
});

for (const [language, catalogue] of Object.entries(catalogues)) {
  const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;

  test(`every text of ${language} can be read, and its plurals are whole`, () => {
    for (const [key, text] of Object.entries(catalogue)) {
      for (const { plural } of parse(text)) {
        if (plural) for (const category of needed) assert.ok(plural[category], `${key} lacks the case ${category}`);
      }
    }
  });

  test(`texts of ${language} ask for no value that the English ones do not get`, () => {
    for (const [key, text] of Object.entries(catalogue)) {
      const known = names(catalogues.en[key]);
      for (const name of names(text)) assert.ok(known.has(name), `${key} asks for ${name}`);
    }
  });
}

function names(text) {
  const found = new Set();
  const walk = (parts) => {
    for (const part of parts) {
      if (typeof part === "string") continue;
      found.add(part.name);
      Object.values(part.plural ?? {}).forEach(walk);
    }
  };
  walk(parse(text));
  return found;
}
