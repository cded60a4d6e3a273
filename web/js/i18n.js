/**
 * Words of the pages. One catalogue per language in `i18n/`, messages in a small part of ICU MessageFormat:
 * `{name}` and `{count, plural, =0 {…} one {# …} other {# …}}`. A test holds the catalogues together.
 */

import { address } from "./place.js";

export const LANGUAGES = { en: "English", ru: "Русский", uk: "Українська" };
const MEMORY = "lessonroom.language";

/** The first language that somebody wants and we speak. */
export function pick(wanted) {
  for (const tag of wanted) {
    const language = String(tag ?? "").toLowerCase().split("-")[0];
    if (language in LANGUAGES) return language;
  }
  return "en";
}

/** Read one message into parts: strings, `{name}` and `{name, cases}`. */
export function parse(text) {
  let at = 0;
  const fail = (what) => {
    throw new SyntaxError(`expected ${what} at ${at} of a message of ${text.length} characters`);
  };
  const until = (stops) => {
    const from = at;
    while (at < text.length && !stops.includes(text[at])) at += 1;
    return text.slice(from, at);
  };
  const expect = (mark) => (text[at] === mark ? (at += 1) : fail(mark));
  function cases() {
    const found = {};
    for (;;) {
      const word = until("{}").trim();
      if (text[at] !== "{") return word ? fail("{") : found;
      expect("{");
      found[word] = parts(true);
      expect("}");
    }
  }
  function argument() {
    expect("{");
    const name = until(",}").trim();
    if (text[at] === "}") return (at += 1), { name };
    expect(",");
    if (until(",}").trim() !== "plural") fail("plural");
    expect(",");
    const plural = cases();
    expect("}");
    if (!plural.other) fail("the case other");
    return { name, plural };
  }
  function parts(inside) {
    const list = [];
    while (at < text.length) {
      const plain = until("{}");
      if (plain) list.push(plain);
      if (text[at] === "{") list.push(argument());
      else if (text[at] === "}") return inside ? list : fail("no }");
    }
    return inside ? fail("}") : list;
  }
  return parts(false);
}

/** Write a parsed message with its values. */
export function format(parts, values, locale, count) {
  return parts
    .map((part) => {
      if (typeof part === "string") {
        return count === undefined ? part : part.replaceAll("#", new Intl.NumberFormat(locale).format(count));
      }
      if (!part.plural) return String(values[part.name] ?? "");
      const number = Number(values[part.name]);
      const category = new Intl.PluralRules(locale).select(number);
      const chosen = part.plural[`=${number}`] ?? part.plural[category] ?? part.plural.other;
      return format(chosen, values, locale, number);
    })
    .join("");
}

let catalogue = {};
let parsed = new Map();
const listeners = new Set();

/** The language now, and the locale that numbers and times follow. */
export const speech = { language: "en", locale: "en" };

/** Whether the catalogue knows a key; for words that come from the server. */
export function has(key) {
  return Object.hasOwn(catalogue, key);
}

/** The text of a key. */
export function t(key, values = {}) {
  if (!parsed.has(key)) parsed.set(key, parse(catalogue[key] ?? key));
  return format(parsed.get(key), values, speech.locale);
}

/** Fill every element below `within` that names its text: `data-t`, `data-t-label`, `data-t-placeholder`. */
export function translate(within = document) {
  for (const element of within.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of within.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.matches("button")) element.title = t(element.dataset.tLabel);
  }
  for (const element of within.querySelectorAll("[data-t-placeholder]")) {
    element.placeholder = t(element.dataset.tPlaceholder);
  }
}

/** Call back after every change of language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** Change the language, remember it, and rewrite the page. */
export async function speak(language, { remember = false } = {}) {
  const response = await fetch(address(`static/i18n/${language}.json`));
  if (!response.ok) throw new Error(`expected the catalogue ${language}, got ${response.status}`);
  catalogue = await response.json();
  parsed = new Map();
  speech.language = language;
  speech.locale = navigator.languages.find((tag) => pick([tag]) === language && tag.startsWith(language)) ?? language;
  if (remember) localStorage.setItem(MEMORY, language);
  document.documentElement.lang = language;
  translate();
  for (const listener of listeners) listener();
}

/** Speak the language that was chosen here before, or the browser's. */
export function speakFirst() {
  return speak(pick([localStorage.getItem(MEMORY), ...navigator.languages]));
}

/** Fill the language switches of the page. */
export function languageSwitches() {
  for (const select of document.querySelectorAll("select[data-language]")) {
    select.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code)));
    select.value = speech.language;
    select.addEventListener("change", () => speak(select.value, { remember: true }));
    onLanguage(() => (select.value = speech.language));
  }
}

/** A time of day in the reader's way. `at`: milliseconds since 1970. */
export function clock(at, { seconds = false } = {}) {
  const second = seconds ? { second: "2-digit" } : {};
  return new Intl.DateTimeFormat(speech.locale, { hour: "2-digit", minute: "2-digit", ...second }).format(at);
}

/** A date with its year, written out. `at`: milliseconds since 1970. */
export function date(at) {
  return new Intl.DateTimeFormat(speech.locale, { dateStyle: "long" }).format(at);
}

/** A day such as "2026-11-22" in the reader's short way. */
export function day(date) {
  return new Intl.DateTimeFormat(speech.locale, { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
}
