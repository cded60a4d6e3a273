/** Small helpers for building and showing elements. No markup is ever made from a string. */

import { icon } from "./icons.js";

const HOVER = 350;

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Make an element: `el("p", {class: "note", testid: "x"}, "text", child)`. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "testid") element.dataset.testid = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Show or hide; true shows. */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Set a text only when it changed, so that screen readers do not say it again. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Put the drawings into every element that asks for one with `data-icon`. */
export function drawIcons(within = document) {
  for (const element of within.querySelectorAll("[data-icon]")) setIcon(element, element.dataset.icon);
}

/** Draw one icon into an element, in place of what it showed. */
export function setIcon(element, name) {
  if (element.dataset.drawn === name) return;
  element.dataset.drawn = name;
  element.replaceChildren(icon(name));
}

/** Say something to screen readers only, politely. */
export function announce(text) {
  const live = byId("announcer");
  live.textContent = "";
  // a live region speaks when it changes: the same words twice need a change between them
  requestAnimationFrame(() => (live.textContent = text));
}

/** Keep native popovers (`popover` attribute) beside the button that opens them. */
export function anchorPopovers(within = document) {
  for (const panel of within.querySelectorAll("[popover]")) {
    const button = document.querySelector(`[popovertarget="${panel.id}"]`);
    const place = () => placeBeside(panel, button);
    // the toggle event may come a frame late: without this the panel flashes in the corner of the window
    panel.addEventListener("beforetoggle", () => requestAnimationFrame(() => panel.matches(":popover-open") && place()));
    panel.addEventListener("toggle", (event) => {
      const open = event.newState === "open";
      button.setAttribute("aria-expanded", String(open));
      if (open) place();
    });
    addEventListener("resize", () => panel.matches(":popover-open") && place());
  }
}

/** Let a resting mouse open a popover, too, until it leaves. Opened by a press it stays until it is dismissed. */
export function openOnHover(panel, button) {
  let timer = null;
  let pressed = false;
  let down = null;
  const after = (act) => {
    clearTimeout(timer);
    timer = setTimeout(act, HOVER);
  };
  // older browsers throw when there is nothing to do
  const turn = (open) => panel.matches(":popover-open") !== open && panel.togglePopover(open);
  // a mouse that stands where it pressed did not come here: what it pressed is gone, and the button slid under it
  const slid = ({ screenX, screenY }) => down?.screenX === screenX && down.screenY === screenY;
  button.ownerDocument.addEventListener("pointerdown", (event) => (down = event), true);
  button.addEventListener("click", () => (pressed = true));
  panel.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    pressed = false;
    // what a resting mouse has set going must not open again what Escape has just closed
    clearTimeout(timer);
  });
  for (const part of [button, panel]) {
    part.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !slid(event) && after(() => turn(true)));
    part.addEventListener("pointerleave", () => after(() => pressed || turn(false)));
  }
}

function placeBeside(panel, button) {
  const gap = 8;
  const at = button.getBoundingClientRect();
  panel.style.maxHeight = "";
  // a list that is read for longer keeps to the edge, away from the face in the middle
  const wanted = panel.dataset.place === "edge" ? 2 * gap : at.left;
  const left = Math.max(gap, Math.min(wanted, innerWidth - panel.offsetWidth - gap));
  const [above, under] = [at.top - 2 * gap, innerHeight - at.bottom - 2 * gap];
  const below = panel.offsetHeight <= under || under >= above;
  panel.style.left = `${left}px`;
  panel.style.top = below ? `${at.bottom + gap}px` : "auto";
  panel.style.bottom = below ? "auto" : `${innerHeight - at.top + gap}px`;
  panel.style.maxHeight = `${Math.min(480, below ? under : above)}px`;
}
