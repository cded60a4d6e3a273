/** "I'm stuck": one press, always in reach, with a friendly receipt. */

import { show, write } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const RECEIPT_STAYS = 8_000;

/** Wire every stuck button and receipt of the page. `actions`: press(), over(id). */
export function stuck(store, actions) {
  const buttons = [...document.querySelectorAll("[data-stuck]")];
  const receipts = [...document.querySelectorAll("[data-receipt]")];
  let timer = null;
  const draw = () => {
    const now = store.state.stuck;
    for (const button of buttons) button.setAttribute("aria-disabled", String(now?.state === "sending"));
    for (const receipt of receipts) {
      write(receipt, now ? t(`stuck.${wordOf(store.state)}`) : "");
      receipt.dataset.state = now?.state ?? "none";
      if (receipt.classList.contains("receipt-chat")) show(receipt, Boolean(now));
    }
    clearTimeout(timer);
    if (now && now.state !== "sending") timer = setTimeout(() => actions.over(now.id), RECEIPT_STAYS);
  };
  for (const button of buttons) {
    button.addEventListener("click", () => store.state.stuck?.state === "sending" || actions.press());
  }
  store.subscribe((state, before) => {
    if (state.stuck !== before.stuck || (state.stuck && state.connection !== before.connection)) draw();
  });
  onLanguage(draw);
  draw();
}

function wordOf({ stuck: press, connection }) {
  return press.state === "sending" && connection.state === "lost" ? "waiting" : press.state;
}
