/** The requests of the review page: the queue, one message in the clear, a decision, the figures. */

import { get, post } from "./api.js";

const PAGE = 20;
const DAYS = 14;

const below = (member, path) => `api/members/${encodeURIComponent(member)}/review${path}`;

/** What waits, of these reasons: `{items, waiting, wrong_blocks, violators}`. */
export function queueOf(member, whys) {
  return get(below(member, `?why=${whys.join(",")}&limit=${PAGE}`));
}

/** A message in the clear: `{text, findings, before}`. The server records who asked. */
export function textOf(member, id) {
  return post(below(member, `/${encodeURIComponent(id)}/text`), {});
}

/** Store a decision. */
export function decide(member, { id, contact, kind }) {
  return post(below(member, `/${encodeURIComponent(id)}/decision`), kind ? { contact, kind } : { contact });
}

/** How the filter has done in the last days. */
export function driftOf(member) {
  return get(below(member, `/drift?days=${DAYS}`));
}
