/** The messages that wait, as a list: pure rules for answers of the server, decisions and messages left for later. */

import { WHYS } from "./judging.js";

/** `items`: in the order in which they are shown; `waiting`: how many the server has, by why, less those decided here. */
export const empty = Object.freeze({ items: [], waiting: Object.freeze({ appealed: 0, held: 0, blocked: 0, sample: 0 }) });

/**
 * Take in an answer of the server. `decided`: names (see `nameOf`) of what was decided here, whatever the server knows of that;
 * `unsent`: decisions that it has not got. The message in view (`current`) keeps its place and its words,
 * for their order is new in each answer; those left for later stay at the end.
 */
export function taken(answer, { current = null, decided = new Set(), unsent = [], later = [] } = {}) {
  const fresh = answer.items.filter((item) => !decided.has(nameOf(item)));
  const rest = fresh.filter(({ id }) => id !== current?.id);
  const still = fresh.filter(({ id }) => id === current?.id).map((item) => ({ ...item, words: current.words }));
  const put = (item) => later.includes(item.id);
  const items = [...still, ...rest.filter((item) => !put(item)), ...rest.filter(put)];
  const waiting = Object.fromEntries(WHYS.map((why) => [why, Math.max(0, answer.waiting[why] - count(unsent, why))]));
  return { items, waiting };
}

/** A message that was stopped, decided and then appealed comes back under its id: the why makes it another task. */
export const nameOf = ({ id, why }) => `${why}:${id}`;

/** The list without a message that was decided. */
export function without(queue, { id, why }) {
  const waiting = { ...queue.waiting, [why]: Math.max(0, queue.waiting[why] - 1) };
  return { items: queue.items.filter((item) => item.id !== id), waiting };
}

/** The list with its first message at the end. */
export function postponed(queue) {
  const [first, ...rest] = queue.items;
  return { ...queue, items: [...rest, first] };
}

/** How many wait: of one why, or of all. */
export function total({ waiting }, why = "all") {
  return why === "all" ? WHYS.reduce((sum, each) => sum + waiting[each], 0) : waiting[why];
}

const count = (decisions, why) => decisions.filter((decision) => decision.why === why).length;
