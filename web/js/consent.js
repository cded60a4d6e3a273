/** The question whether the student's picture may be analysed: plain words, two equal answers, nothing chosen. */

import { byId } from "./dom.js";
import { enter } from "./views.js";

/** Ask, and resolve with true or false, or with null when it was answered somewhere else. */
export function askConsent(store) {
  enter("consent");
  return new Promise((resolve) => {
    byId("consent-no").onclick = () => resolve(false);
    byId("consent-yes").onclick = () => resolve(true);
    store.subscribe(({ consent }) => consent !== null && resolve(null));
  });
}
