/** What the review page says about a message, and what its keys mean. Pure. */

/** Why a message waits, the most urgent first: the order of the queue. */
export const WHYS = ["appealed", "held", "blocked", "sample"];

const STEPS = [
  [0.98, "certain_contact"], [0.8, "likely_contact"], [0.5, "leaning_contact"],
  [0.2, "leaning_ordinary"], [0.02, "likely_ordinary"], [0, "certain_ordinary"],
];

/** How sure the filter was, as the end of a key: a word, for a number would pass for a measurement. */
export function sureness({ probability, degraded }) {
  return degraded ? "degraded" : STEPS.find(([from]) => probability >= from)[1];
}

/** What takes letters itself. */
const TYPED_INTO = "select, textarea, input:not([type=radio], [type=checkbox])";

/** Letters of both alphabets that look alike are one key: a reader need not change the keyboard's layout. */
const LETTERS = { c: "contact", с: "contact", o: "ordinary", о: "ordinary", t: "text", т: "text" };
const PLACES = { KeyC: "contact", KeyO: "ordinary", KeyT: "text" };

/**
 * What a press of a key means: `contact`, `ordinary`, `text` or null. A letter of another alphabet is told by its place on the
 * keyboard. A key held down, a key with a modifier, and one that is typed into something mean nothing.
 */
export function meaningOf({ key, code, repeat, ctrlKey, metaKey, altKey, target }) {
  if (repeat || ctrlKey || metaKey || altKey || target?.matches?.(TYPED_INTO)) return null;
  const letter = key.toLowerCase();
  if (Object.hasOwn(LETTERS, letter)) return LETTERS[letter];
  return /^[a-z]$/.test(letter) || letter.length !== 1 ? null : (PLACES[code] ?? null);
}
