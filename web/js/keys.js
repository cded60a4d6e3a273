/** The single keys of the review page, and the switch that turns them off (WCAG 2.2, success criterion 2.1.4). */

import { byId } from "./dom.js";
import { meaningOf } from "./judging.js";

const MEMORY = "lessonroom.review.keys";
const BUTTONS = { contact: ["contact", "c"], ordinary: ["ordinary", "o"], text: ["show-text", "t"] };

/** Let the keys press their buttons while `ready()`; what was chosen is remembered in this browser. */
export function keys(ready) {
  const box = byId("keys-on");
  const turn = () => {
    byId("review").dataset.keys = box.checked ? "on" : "off";
    for (const [id, key] of Object.values(BUTTONS)) {
      if (box.checked) byId(id).setAttribute("aria-keyshortcuts", key);
      else byId(id).removeAttribute("aria-keyshortcuts");
    }
  };
  box.checked = localStorage.getItem(MEMORY) !== "off";
  box.addEventListener("change", () => {
    localStorage.setItem(MEMORY, box.checked ? "on" : "off");
    turn();
  });
  turn();
  addEventListener("keydown", (event) => {
    const meaning = box.checked && ready() ? meaningOf(event) : null;
    if (meaning) byId(BUTTONS[meaning][0]).click();
  });
}
