/** The last hour of one figure as a small line, with the value and its time under the pointer or the arrow keys. */

import { el, write } from "./dom.js";
import { clock, t } from "./i18n.js";

const WIDTH = 600;
const HEIGHT = 100;
export const SPAN = 3_600_000;
const LEAST_SPAN = 600_000;
/** A longer silence than this is a gap in the line, not a straight piece of it. */
const GAP = 60_000;

/** A round number at or above the largest value, so that the scale does not jump with every point. */
export function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/** The time that the drawing covers: an hour, or less while the server is younger. */
export function spanOf(points, now) {
  return Math.min(SPAN, Math.max(LEAST_SPAN, now - (points[0]?.t ?? now)));
}

/** Pieces of the line as lists of `[x, y]` in units of the drawing; `points`: `{t, value}` in order of time. */
export function pieces(points, now, top, span = SPAN) {
  const list = [];
  let before = -Infinity;
  for (const { t: at, value } of points) {
    if (at < now - span || value === null || value === undefined) continue;
    if (at - before > GAP) list.push([]);
    before = at;
    list.at(-1).push([round(WIDTH * (1 - (now - at) / span)), round(HEIGHT * (1 - Math.min(1, value / top)))]);
  }
  return list;
}

const round = (number) => Math.round(number * 10) / 10;

export class Spark {
  #title;
  #format;
  #points = [];
  #now = 0;
  #most = 0;
  #span = SPAN;
  #cursor = null;
  #parts = {};

  /** `title()` and `format(value)` are asked anew at each drawing, for the language may change. */
  constructor(title, format, testid) {
    this.#title = title;
    this.#format = format;
    this.element = this.#build(testid);
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
    parts.plot = el("div", { class: "chart-plot", tabindex: "0", role: "img" }, parts.svg, parts.cursor);
    parts.from = el("span");
    parts.top = el("span");
    parts.to = el("span");
    parts.plot.addEventListener("pointermove", (event) => this.#point(event));
    parts.plot.addEventListener("pointerleave", () => this.#pick(null));
    parts.plot.addEventListener("blur", () => this.#pick(null));
    parts.plot.addEventListener("keydown", (event) => this.#key(event));
    return el("article", { class: "card chart", testid },
      el("div", { class: "chart-top" }, parts.title, parts.value), parts.plot,
      el("div", { class: "chart-ends" }, parts.from, parts.top, parts.to));
  }

  /** Draw these points: `{t, value}`, milliseconds and number. */
  draw(points, now) {
    this.#points = points.filter(({ value }) => value !== null && value !== undefined);
    this.#now = now;
    const most = Math.max(0, ...this.#points.map(({ value }) => value));
    this.top = ceiling(most);
    write(this.#parts.title, this.#title());
    this.#span = spanOf(this.#points, now);
    write(this.#parts.from, t("ops.hour.ago", { count: Math.round(this.#span / 60_000) }));
    this.#most = most;
    write(this.#parts.to, t("ops.hour.now"));
    const drawn = pieces(this.#points, now, this.top, this.#span);
    this.#parts.svg.replaceChildren(
      path("chart-ground", `M0 ${HEIGHT}H${WIDTH}`),
      ...drawn.map((piece) => path("chart-area", `${line(piece)}V${HEIGHT}H${piece[0][0]}Z`)),
      ...drawn.map((piece) => path("chart-line", line(piece))),
    );
    this.#show();
  }

  #point(event) {
    const box = this.#parts.plot.getBoundingClientRect();
    const at = this.#now - this.#span * (1 - (event.clientX - box.left) / box.width);
    let best = null;
    this.#points.forEach((point, index) => {
      if (best === null || Math.abs(point.t - at) < Math.abs(this.#points[best].t - at)) best = index;
    });
    this.#pick(best);
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    const last = this.#points.length - 1;
    if (step === undefined || last < 0) return;
    event.preventDefault();
    this.#pick(Math.min(last, Math.max(0, (this.#cursor ?? last + 1) + step)));
  }

  #pick(index) {
    this.#cursor = index;
    this.#parts.value.setAttribute("aria-live", index === null ? "off" : "polite");
    this.#show();
  }

  #show() {
    const { value, cursor, plot, top } = this.#parts;
    const point = this.#points[this.#cursor ?? this.#points.length - 1];
    const text = point ? this.#format(point.value) : "–";
    const picked = this.#cursor !== null && point;
    // the time stands where the largest value stood: nothing moves under the pointer
    const time = picked ? t("ops.hour.at", { time: clock(point.t) }) : "";
    value.replaceChildren(text, el("span", { class: "only-read" }, time ? ` ${time}` : ""));
    write(top, time || t("ops.hour.top", { value: this.#format(this.#most) }));
    plot.setAttribute("aria-label", t("ops.hour.label", { title: this.#title(), value: text }));
    cursor.hidden = !picked;
    if (!picked) return;
    cursor.style.left = `${100 * (1 - (this.#now - point.t) / this.#span)}%`;
    cursor.style.setProperty("--at", `${100 * (1 - point.value / this.top)}%`);
  }
}

function path(name, d) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
  element.setAttribute("class", name);
  element.setAttribute("d", d);
  return element;
}

function line(piece) {
  // a lone point is a short dash, so that it can be seen
  const points = piece.length > 1 ? piece : [piece[0], [piece[0][0] + 1, piece[0][1]]];
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x} ${y}`).join("");
}
