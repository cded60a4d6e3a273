/** One small drawing on a card: its title, a value, and a plot whose points the pointer or the arrow keys read. */

import { el, write } from "./dom.js";

/** The drawing's own units; it is stretched over the whole plot. */
export const WIDTH = 600;
export const HEIGHT = 100;

export class Chart {
  #parts = {};
  #drawn = null;
  #picked = null;

  constructor(testid) {
    this.element = this.#build(testid);
    this.element.inert = true; // nothing to read or to point at until the first figures are drawn
  }

  #build(testid) {
    const parts = this.#parts;
    parts.title = el("h3");
    parts.value = el("span", { class: "chart-value", "aria-live": "off" });
    parts.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    parts.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    parts.svg.setAttribute("preserveAspectRatio", "none");
    parts.svg.setAttribute("aria-hidden", "true");
    parts.cursor = el("span", { class: "chart-cursor", hidden: true });
    parts.scale = el("span", { class: "chart-scale", "aria-hidden": "true" });
    parts.empty = el("span", { class: "chart-empty", "aria-hidden": "true" });
    parts.plot = el("div", { class: "chart-plot", tabindex: "0", role: "img" }, parts.svg, parts.scale, parts.empty, parts.cursor);
    parts.from = el("span");
    parts.note = el("span");
    parts.to = el("span");
    parts.plot.addEventListener("pointermove", (event) => this.#point(event));
    parts.plot.addEventListener("pointerleave", () => this.#pick(null));
    parts.plot.addEventListener("blur", () => this.#pick(null));
    parts.plot.addEventListener("keydown", (event) => this.#key(event));
    return el("article", { class: "card chart", testid },
      el("div", { class: "chart-top" }, parts.title, parts.value), parts.plot,
      el("div", { class: "chart-ends" }, parts.from, parts.note, parts.to));
  }

  /**
   * Draw this: `shapes` (see `path`), `count` points that can be read, `at(index)` → `{x, y, value, when}` with shares
   * of the plot from its left and upper edge; `rest`: `{value, note}` while none is read; `from`, `to`: the ends of the
   * axis; `scale`: what the upper edge stands for, `empty`: what is said where there is no point, each perhaps missing;
   * `label(value)`: the whole in words.
   */
  draw(drawing) {
    this.#drawn = drawing;
    this.element.inert = false;
    if (this.#picked !== null && this.#picked >= drawing.count) this.#picked = null;
    write(this.#parts.title, drawing.title);
    write(this.#parts.from, drawing.from);
    write(this.#parts.to, drawing.to);
    write(this.#parts.scale, drawing.scale ?? "");
    write(this.#parts.empty, drawing.count ? "" : (drawing.empty ?? ""));
    const edge = drawing.scale ? [path("chart-edge", `M0 0H${WIDTH}`)] : [];
    this.#parts.svg.replaceChildren(path("chart-ground", `M0 ${HEIGHT}H${WIDTH}`), ...edge, ...drawing.shapes);
    this.#show();
  }

  #point(event) {
    const box = this.#parts.plot.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const far = (index) => Math.abs(this.#drawn.at(index).x - share);
    let best = null;
    for (let index = 0; index < this.#drawn.count; index += 1) if (best === null || far(index) < far(best)) best = index;
    this.#pick(best);
  }

  #key(event) {
    const last = this.#drawn.count - 1;
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || last < 0) return;
    event.preventDefault();
    this.#pick(Math.min(last, Math.max(0, (this.#picked ?? last + 1) + step)));
  }

  #pick(index) {
    this.#picked = index;
    this.#parts.value.setAttribute("aria-live", index === null ? "off" : "polite");
    this.#show();
  }

  #show() {
    const { value, cursor, plot, note } = this.#parts;
    const { at, rest, label } = this.#drawn;
    const read = this.#picked === null ? null : at(this.#picked);
    const text = read?.value ?? rest.value;
    // what belongs to the point stands where the note stood: nothing moves under the pointer
    value.replaceChildren(text, el("span", { class: "only-read" }, read ? ` ${read.when}` : ""));
    write(note, read?.when ?? rest.note);
    plot.setAttribute("aria-label", label(text));
    cursor.hidden = read === null;
    if (!read) return;
    cursor.style.left = `${100 * read.x}%`;
    cursor.style.setProperty("--at", `${100 * read.y}%`);
  }
}

/** One stroke or area of a drawing. */
export function path(name, d) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
  element.setAttribute("class", name);
  element.setAttribute("d", d);
  return element;
}

/** To a tenth of a unit: finer is not seen. */
export const round = (number) => Math.round(number * 10) / 10;
