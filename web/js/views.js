/** Which part of the page is in view, and the one card that explains why there is no lesson. */

import { byId, setIcon, show } from "./dom.js";
import { has, onLanguage, t } from "./i18n.js";

const ICONS = { opening: "clock", left: "leave", ended: "check", replaced: "people", unreachable: "refresh", full: "clock" };
const ACTIONS = { left: "door.left.action", replaced: "door.replaced.action", unreachable: "door.again", full: "door.again" };

let shownDoor = null;

/** Show the parts of one view and move the focus to its heading, so that screen readers say where we are. */
export function enter(view) {
  document.body.dataset.view = view;
  for (const part of document.querySelectorAll("[data-views]")) show(part, part.dataset.views.split(" ").includes(view));
  const heading = document.querySelector(`main[data-views~="${view}"]:not([hidden]) h1, #${view} h1`);
  if (view !== "opening") heading?.focus({ preventScroll: true });
}

/**
 * Close the lesson's view behind a card: `kind` is used, gone, unreachable, full, ended, replaced, left or
 * unsupported. `act` runs when the card's button is pressed; without it there is no button.
 */
export function door(kind, act = null) {
  shownDoor = kind;
  setIcon(byId("door-icon"), ICONS[kind] ?? "info");
  drawDoor();
  const button = byId("door-action");
  show(button, Boolean(act));
  button.onclick = act;
  enter("door");
}

function drawDoor() {
  if (!shownDoor) return;
  for (const part of ["title", "text"]) byId(`door-${part}`).textContent = t(doorKey(part));
  if (shownDoor in ACTIONS) byId("door-action").textContent = t(ACTIONS[shownDoor]);
}

/** A page with something else than a lesson behind its door says so: `data-door` is operator or choices. */
function doorKey(part) {
  const own = `door.${document.body.dataset.door}.${shownDoor}.${part}`;
  return has(own) ? own : `door.${shownDoor}.${part}`;
}

onLanguage(drawDoor);
