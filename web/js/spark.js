/** The last hour of one figure as a small line, with the value and its time under the pointer or the arrow keys. */

import { Chart, HEIGHT, path, round, WIDTH } from "./chart.js";
import { clock, t } from "./i18n.js";

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

/** The time that the drawing covers: an hour, or less while the server is younger. The same for all lines of a history. */
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

export class Spark {
  #title;
  #format;
  #chart;

  /** `title()` and `format(value)` are asked anew at each drawing, for the language may change. */
  constructor(title, format, testid) {
    this.#title = title;
    this.#format = format;
    this.#chart = new Chart(testid);
    this.element = this.#chart.element;
  }

  /** Draw these points: `{t, value}`, milliseconds and number. */
  draw(points, now) {
    const known = points.filter(({ value }) => value !== null && value !== undefined);
    const most = Math.max(0, ...known.map(({ value }) => value));
    const top = ceiling(most);
    const span = spanOf(points, now);
    const last = known.at(-1);
    this.#chart.draw({
      title: this.#title(),
      shapes: shapes(pieces(known, now, top, span)),
      count: known.length,
      at: (index) => this.#read(known[index], now, span, top),
      rest: { value: last ? this.#format(last.value) : "–", note: last ? t("ops.hour.top", { value: this.#format(most) }) : "" },
      scale: last ? this.#format(top) : "",
      empty: t("ops.hour.empty"),
      from: t("ops.hour.ago", { count: Math.round(span / 60_000) }),
      to: t("ops.hour.now"),
      label: (value) => t("ops.hour.label", { title: this.#title(), value }),
    });
  }

  #read(point, now, span, top) {
    return {
      x: 1 - (now - point.t) / span, y: 1 - point.value / top,
      value: this.#format(point.value), when: t("ops.hour.at", { time: clock(point.t) }),
    };
  }
}

function shapes(drawn) {
  return [
    ...drawn.map((piece) => path("chart-area", `${line(piece)}V${HEIGHT}H${piece[0][0]}Z`)),
    ...drawn.map((piece) => path("chart-line", line(piece))),
  ];
}

function line(piece) {
  // a lone point is a short dash, so that it can be seen
  const points = piece.length > 1 ? piece : [piece[0], [piece[0][0] + 1, piece[0][1]]];
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x} ${y}`).join("");
}
