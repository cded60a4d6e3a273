/** The line about senders with repeated proven violations: how many, never who. */

import { byId, show, write } from "./dom.js";
import { t } from "./i18n.js";

/** Show the line, or none for 0. */
export function drawViolators(count) {
  show(byId("violators"), count > 0);
  write(byId("violators"), count > 0 ? t("review.violators", { count }) : "");
}
