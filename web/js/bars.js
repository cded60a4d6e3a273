/** A row of bars, one for each day or step, with the value under the pointer or the arrow keys. */

import { Chart, HEIGHT, path, round, WIDTH } from "./chart.js";
import { t } from "./i18n.js";

/** The part of its place that a bar fills. */
const FILLED = 0.72;
/** A bar that stands for something is never too low to be seen. */
const LEAST = 2;

/** Paths of bars with these heights (shares of 1, null for none), from the ground up. */
export function outlines(heights) {
  const place = WIDTH / heights.length;
  return heights.flatMap((height, index) => {
    if (!height) return [];
    const from = round(place * (index + (1 - FILLED) / 2));
    return [`M${from} ${HEIGHT}V${round(HEIGHT - Math.max(LEAST, HEIGHT * Math.min(1, height)))}h${round(place * FILLED)}V${HEIGHT}Z`];
  });
}

export class Bars {
  #chart;

  constructor(testid) {
    this.#chart = new Chart(testid);
    this.element = this.#chart.element;
  }

  /** Draw `bars`: `{height, value, when}`; the other words as in `Chart.draw`. */
  draw({ title, bars, rest, from, to }) {
    this.#chart.draw({
      title, rest, from, to,
      shapes: outlines(bars.map(({ height }) => height)).map((d) => path("chart-bar", d)),
      count: bars.length,
      at: (index) => ({
        x: (index + 0.5) / bars.length, y: 1 - (bars[index].height ?? 0),
        value: bars[index].value, when: bars[index].when,
      }),
      label: (value) => t("chart.label", { title, value }),
    });
  }
}
