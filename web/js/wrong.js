/** The first line of the review page: how often a stopped message was an ordinary one, and how sure that is. */

import { byId, write } from "./dom.js";
import * as figures from "./figures.js";
import { t } from "./i18n.js";

/** Write it down: `{decided, wrong, share, low, high}`. */
export function drawWrong({ decided, wrong, share, low, high }) {
  const known = decided > 0 && share !== null;
  write(byId("wrong-share"), known ? figures.share(share) : "–");
  write(byId("wrong-counts"), known ? t("review.wrong.counts", { wrong, count: decided }) : t("review.wrong.none"));
  write(byId("wrong-range"), known ? t("review.wrong.range", { low: figures.share(low), high: figures.share(high) }) : t("review.wrong.none.more"));
}
