/** A short sentence at the lower edge about something that was asked for and not done. */

import { byId, show, write } from "./dom.js";
import { has, t } from "./i18n.js";

const STAYS = 6_000;

/** Show every problem that the server tells of. `over` runs when the sentence goes. */
export function toasts(store, over) {
  let timer = null;
  store.subscribe((state, before) => {
    if (state.problem === before.problem) return;
    show(byId("toast"), state.problem !== null);
    if (state.problem === null) return;
    const key = `problem.${state.problem}`;
    write(byId("toast"), t(has(key) ? key : "problem.other"));
    clearTimeout(timer);
    timer = setTimeout(over, STAYS);
  });
}
