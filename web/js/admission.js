/** How every page begins: exchange the link for a session, or show the card that says why that failed. */

import { openSession } from "./api.js";
import { codeOf, forgetCode, memberOf } from "./place.js";
import { door } from "./views.js";

const DOORS = { 0: "unreachable", 404: "gone", 429: "full", 500: "unreachable", 503: "full" };

/** The session of the member in the page's address, or null when a card tells why there is none. */
export async function admitted() {
  try {
    const session = await openSession(memberOf(location), codeOf(location));
    forgetCode();
    return session;
  } catch (error) {
    if (error.status === undefined) throw error;
    const kind = DOORS[error.status] ?? "used";
    door(kind, kind === "unreachable" || kind === "full" ? () => location.reload() : null);
    return null;
  }
}
