/** The line under the message: what became of the decisions, in words, and the way to try again. */

import { announce, byId, show, write } from "./dom.js";
import { t } from "./i18n.js";

const ODD = ["overruled", "gone", "refused"];

/** Write down how the decisions stand. Trouble is said aloud once; that all is well only stands there. */
export function drawSending({ unsent, status }) {
  const line = byId("sending");
  const text = [plain(unsent.length, status), ...ODD.map((word) => (status[word] ? t(`sending.${word}`, { count: status[word] }) : ""))]
    .filter(Boolean).join(" ");
  if (status.trouble && line.textContent !== text) announce(text);
  write(line, text);
  line.dataset.trouble = String(Boolean(status.trouble));
  show(byId("send-again"), status.trouble === "failing");
}

function plain(waits, { stored, trouble }) {
  if (trouble && waits) return t(`sending.${trouble}`, { count: waits });
  if (!stored && !waits) return "";
  return t(waits ? "sending.now" : "sending.stored", { count: stored + waits });
}
