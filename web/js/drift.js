/** How the filter does lately: days, scores by language, models beside people, the candidate in shadow. */

import { Bars } from "./bars.js";
import { languageOf } from "./card.js";
import { heights, shareOf, stoppedOf, upheldOf } from "./days.js";
import { byId, el, show } from "./dom.js";
import * as figures from "./figures.js";
import { day, t } from "./i18n.js";
import { ceiling } from "./spark.js";

const sum = (list) => list.reduce((all, each) => all + each, 0);
const per = ({ part, whole }) => (whole ? t("drift.of", { share: figures.share(part / whole), part: figures.number(part), whole: figures.number(whole) }) : "–");

export class Drift {
  #stopped = new Bars("chart-stopped");
  #upheld = new Bars("chart-upheld");
  #scores = new Map();

  constructor() {
    byId("drift-days").append(this.#stopped.element, this.#upheld.element);
  }

  /** Draw an answer of the server: `{days, scores, models, shadow}`. */
  draw({ days, scores, models, shadow }) {
    drawDays(this.#stopped, t("drift.stopped"), days, stoppedOf);
    drawDays(this.#upheld, t("drift.upheld"), days, upheldOf);
    this.#drawScores(Object.entries(scores).filter(([, counts]) => sum(counts) > 0));
    byId("drift-models").replaceChildren(...models.map(model), ...(shadow ? [candidate(shadow)] : []));
    show(byId("drift-models"), models.length > 0 || Boolean(shadow));
  }

  #drawScores(scores) {
    show(byId("scores"), scores.length > 0);
    for (const [lang, counts] of scores) {
      if (!this.#scores.has(lang)) this.#scores.set(lang, new Bars(`chart-scores-${lang}`));
      drawScores(this.#scores.get(lang), lang, counts);
    }
    byId("drift-scores").replaceChildren(...scores.map(([lang]) => this.#scores.get(lang).element));
  }
}

function drawDays(chart, title, days, read) {
  const parts = days.map(read);
  const all = { part: sum(parts.map(({ part }) => part)), whole: sum(parts.map(({ whole }) => whole)) };
  const shares = parts.map(({ part, whole }) => shareOf(part, whole));
  const top = Math.min(1, ceiling(Math.max(0, ...shares)));
  chart.draw({
    title,
    bars: days.map(({ day: date }, index) => ({
      height: shares[index] === null ? null : shares[index] / top, value: per(parts[index]), when: day(date),
    })),
    rest: { value: per(all), note: all.whole ? t("drift.top", { share: figures.share(top) }) : "" },
    from: day(days[0].day), to: t("drift.today"),
  });
}

function drawScores(chart, lang, counts) {
  const tall = heights(counts);
  const edge = (index) => figures.number(index / counts.length, 2);
  chart.draw({
    title: languageOf({ lang }),
    bars: counts.map((count, index) => ({
      height: tall[index], value: t("drift.messages", { count }), when: t("drift.score", { from: edge(index), to: edge(index + 1) }),
    })),
    rest: { value: t("drift.messages", { count: sum(counts) }), note: "" },
    from: t("review.ordinary"), to: t("review.contact"),
  });
}

function model({ version, decided, wrong }) {
  return el("div", { class: "card model", testid: "model" }, el("h3", {}, t("drift.model", { version })),
    el("p", { class: "note" }, t("drift.model.text", { count: decided, wrong: figures.number(wrong), share: decided ? figures.share(wrong / decided) : "–" })));
}

function candidate({ version, messages, both, only_current: current, only_candidate: other }) {
  const row = (key, value) => [el("dt", {}, t(key)), el("dd", {}, figures.number(value))];
  return el("div", { class: "card model", testid: "shadow" }, el("h3", {}, t("drift.shadow", { version })),
    el("p", { class: "note" }, t("drift.shadow.text", { count: messages })),
    el("dl", { class: "shadow" }, ...row("drift.both", both), ...row("drift.only_current", current), ...row("drift.only_candidate", other)));
}
