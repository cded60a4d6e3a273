/** The chat beside the lesson on a wide page; on a narrow one folded behind a button that counts. */

import { byId } from "./dom.js";

const WIDE = matchMedia("(min-width: 900px)");

/** Wire the fold. `seen` runs whenever the chat is in view and something may have been read. */
export function fold(store, seen) {
  const room = byId("room");
  const others = ["stage", "controls"].map(byId);
  let open = false;
  const inView = () => (WIDE.matches || open) && document.visibilityState === "visible";
  const set = (next) => {
    open = next && !WIDE.matches;
    room.dataset.chat = open ? "open" : "folded";
    byId("chat-button").setAttribute("aria-expanded", String(open));
    // what the open chat covers must not be reached by the keyboard
    for (const part of [...others, room.querySelector(".top")]) part.inert = open;
    byId("chat").inert = !open && !WIDE.matches;
    if (inView()) seen();
  };
  byId("chat-button").addEventListener("click", () => {
    set(true);
    byId("chat-close").focus();
  });
  byId("chat-close").addEventListener("click", () => {
    set(false);
    byId("chat-button").focus();
  });
  byId("chat").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open) return;
    set(false);
    byId("chat-button").focus();
  });
  WIDE.addEventListener("change", () => set(open));
  document.addEventListener("visibilitychange", () => inView() && seen());
  store.subscribe((state, before) => state.lastSeq !== before.lastSeq && inView() && seen());
  set(false);
}
