import assert from "node:assert/strict";
import { test } from "node:test";

import { openOnHover } from "../../web/js/dom.js";

/** A popover as browsers have it: it tells of every change. */
class Panel extends EventTarget {
  open = false;
  matches = () => this.open;
  togglePopover = (open) => {
    this.open = open;
    this.dispatchEvent(Object.assign(new Event("toggle"), { newState: open ? "open" : "closed" }));
  };
}

const mouse = (type, screenX = 0) => Object.assign(new Event(type), { pointerType: "mouse", screenX, screenY: 5 });

function wired(context) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const [panel, button] = [new Panel(), Object.assign(new EventTarget(), { ownerDocument: new EventTarget() })];
  openOnHover(panel, button);
  const press = () => {
    button.dispatchEvent(new Event("click"));
    panel.togglePopover(true);
  };
  return { panel, button, press, rest: () => context.mock.timers.tick(1_000) };
}

test("a mouse that rests on the button opens the panel, and closes it as it leaves", (context) => {
  const { panel, button, rest } = wired(context);
  button.dispatchEvent(mouse("pointerenter"));
  rest();
  assert.equal(panel.open, true);
  button.dispatchEvent(mouse("pointerleave"));
  rest();
  assert.equal(panel.open, false);
});

test("what was pressed open stays while the mouse leaves", (context) => {
  const { panel, button, press, rest } = wired(context);
  button.dispatchEvent(mouse("pointerenter"));
  press();
  button.dispatchEvent(mouse("pointerleave"));
  rest();
  assert.equal(panel.open, true);
});

test("a button that slides under a mouse where it has just pressed something else opens nothing", (context) => {
  const { panel, button, rest } = wired(context);
  button.ownerDocument.dispatchEvent(mouse("pointerdown", 7));
  button.dispatchEvent(mouse("pointerenter", 7));
  rest();
  assert.equal(panel.open, false);
  button.dispatchEvent(mouse("pointerleave", 8));
  button.dispatchEvent(mouse("pointerenter", 9));
  rest();
  assert.equal(panel.open, true);
});

test("a panel that Escape closed stays closed while the mouse stands where it pressed", (context) => {
  const { panel, button, press, rest } = wired(context);
  button.dispatchEvent(mouse("pointerenter"));
  press();
  panel.togglePopover(false);
  rest();
  assert.equal(panel.open, false);
});
