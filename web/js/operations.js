/** The operations page: one sentence, figures, the last hour, processors, rooms. No names, no pictures, no words. */

import { ticketFor } from "./api.js";
import { admitted } from "./admission.js";
import * as capacity from "./capacity.js";
import { byId, drawIcons, el, show, write } from "./dom.js";
import * as figures from "./figures.js";
import { clock, has, languageSwitches, onLanguage, speakFirst, t } from "./i18n.js";
import { address, newId, socketAddress } from "./place.js";
import { LastingSocket } from "./socket.js";
import { SPAN, Spark } from "./spark.js";
import { drawViolators } from "./violators.js";
import { door, enter } from "./views.js";

/** A figure that may be missing: nothing came in that time. */
const known = (value, format) => (value === null || value === undefined ? "–" : format(value));
const perSecond = (value) => t("unit.per_second", { value: figures.short(value) });

const FIGURES = [
  ["rooms", (now) => figures.number(now.rooms), () => t("ops.rooms.more")],
  ["analysers", (now) => figures.number(now.analysers), (now) => t("ops.analysers.more", { most: figures.number(now.analysers_most) })],
  ["samples", (now) => perSecond(now.samples_per_second), () => t("ops.samples.more")],
  ["drops", (now) => perSecond(now.drops_per_second), () => t("ops.drops.more")],
  ["inference", (now) => known(now.inference_ms.p95, figures.milliseconds), (now) => t("ops.median", { value: known(now.inference_ms.p50, figures.milliseconds) })],
  ["queue", (now) => figures.number(now.queue), () => t("ops.queue.more")],
  ["cpu", (now) => figures.share(now.cpu.process), (now) => t("ops.machine", { value: figures.share(now.cpu.machine) })],
  ["memory", (now) => figures.memory(now.memory_mb), () => t("ops.memory.more")],
  ["chat", (now) => perSecond(now.chat_per_second), (now) => t("ops.relayed", { count: now.verdicts.relay })],
  ["stopped", (now) => figures.number(now.verdicts.block), (now) => t("ops.held", { count: now.verdicts.hold })],
];

const LINES = [
  ["rooms", "rooms", figures.short],
  ["samples", "samples", perSecond],
  ["age_p", "age_p95", figures.milliseconds],
  ["inference", "inference_p95", figures.milliseconds],
  ["chat", "chat", perSecond],
  ["chat_p", "chat_p95", figures.milliseconds],
  ["machine_all", "machine", figures.share],
  ["loop", "loop", figures.milliseconds],
  ["memory", "memory", figures.memory],
  ["gpu_now", "gpu", figures.share],
];

class Operations {
  #now = null;
  #history = [];
  #sparks = new Map();
  #stale = false;

  /** `member`: whose page this is. */
  constructor(member) {
    byId("to-review").href = address(`review/${encodeURIComponent(member)}`);
    for (const [name, , format] of LINES) {
      const spark = new Spark(() => t(`ops.${name}`), format, `chart-${name}`);
      this.#sparks.set(name, spark);
      byId("charts").append(spark.element);
    }
    onLanguage(() => this.#draw());
  }

  /** Take in one snapshot of the server. */
  heard(snapshot) {
    if (snapshot.type !== "operations") return;
    const first = this.#now === null;
    if (snapshot.history) this.#history = snapshot.history;
    const last = this.#history.at(-1)?.t ?? 0;
    const fresh = (snapshot.history_append ?? []).filter((point) => point.t > last);
    if (fresh.length) this.#history = [...this.#history, ...fresh].filter((point) => point.t > snapshot.now - SPAN);
    this.#now = snapshot;
    if (first) enter("operations");
    this.#draw();
  }

  connection({ state, reason }) {
    this.#stale = state === "lost";
    if (state === "ended") this.#leave(reason);
    if (state === "lost" && this.#now === null) door("unreachable", () => location.reload());
    if (this.#now) this.#draw();
  }

  /** Nothing of the server stays in view once this page may not hear of it, the number of messages that wait included. */
  #leave(reason) {
    this.#now = null;
    show(byId("to-review"), false);
    drawViolators(0);
    door(reason === "replaced" ? "replaced" : "used", reason === "replaced" ? () => location.reload() : null);
  }

  #draw() {
    if (!this.#now) return;
    document.title = `${t("ops.title")} · Lessonroom`;
    byId("operations").dataset.stale = String(this.#stale);
    this.#health();
    this.#review();
    byId("figures").replaceChildren(...FIGURES.map((figure) => tile(figure, this.#now)));
    for (const [name, key] of LINES) {
      this.#sparks.get(name).draw(this.#history.map((point) => ({ t: point.t, value: point[key] })), this.#now.now);
    }
    show(this.#sparks.get("gpu_now").element, this.#history.some((point) => typeof point.gpu === "number"));
    byId("parts").replaceChildren(...capacity.parts(this.#now));
    byId("stages").replaceChildren(...capacity.stages(this.#now));
    byId("compute").replaceChildren(...capacity.compute(this.#now), capacity.processes(this.#now));
    byId("rooms-body").replaceChildren(...this.#now.table.map(row));
    show(byId("rooms-none"), this.#now.table.length === 0);
    for (const id of ["rooms", "rooms-note"]) show(byId(id), this.#now.table.length > 0);
  }

  #health() {
    const { state, limits, share, sentence_key: sentence } = this.#now.health;
    byId("health").dataset.state = this.#stale ? "red" : state;
    const key = has(`health.${sentence}`) ? `health.${sentence}` : `health.${state}`;
    write(byId("health-sentence"), t(this.#stale ? "health.stale" : key));
    write(byId("health-limits"), this.#stale ? t("health.stale.text") : t(has(`limits.${limits}`) ? `limits.${limits}` : "limits.none", { share: figures.share(share) }));
    const why = this.#stale ? "" : capacity.whyOff(this.#now);
    show(byId("health-why"), why !== "");
    write(byId("health-why"), why);
    write(byId("updated"), t("ops.updated", { time: clock(this.#now.now, { seconds: true }) }));
  }

  /** The way to the messages that wait for a person; their number is unknown while nobody has counted. */
  #review() {
    const { waiting: count = null, repeated = 0 } = this.#now.review ?? {};
    const link = byId("to-review");
    show(link, true);
    write(link, count === null ? t("ops.review.unknown") : t("ops.review", { count }));
    link.dataset.waits = String(count > 0);
    drawViolators(repeated ?? 0);
  }
}

function tile([name, value, more], now) {
  return el("div", { class: "figure", testid: `figure-${name}` },
    el("dt", {}, t(`ops.${name}`)), el("dd", {}, value(now)), more ? el("dd", { class: "more" }, more(now)) : null);
}

function row(room) {
  const hint = known(room.last_hint_age_s, figures.age);
  return el("tr", { testid: "room-row" },
    cell("room", {}, el("code", {}, room.room)),
    cell("age", { class: "number" }, figures.age(room.age_s)),
    cell("mode", {}, room.mode),
    cell("state", {}, el("span", { class: "state", "data-state": room.state }, t(`ops.state.${room.state}`))),
    cell("stream", {}, room.stream || "–"),
    cell("samples", { class: "number" }, figures.number(room.samples)),
    cell("drops", { class: "number" }, figures.number(room.drops)),
    cell("last_hint", { class: "number" }, hint));
}

/** On a phone the head of the table is not shown, and each cell brings its word along. */
function cell(name, attributes, content) {
  return el("td", { ...attributes, "data-label": t(`ops.${name}`) }, content);
}

async function main() {
  await speakFirst();
  languageSwitches();
  drawIcons();
  const session = await admitted();
  if (!session) return;
  const operations = new Operations(session.member);
  const page = newId();
  const socket = new LastingSocket({
    url: socketAddress("ws/operations"),
    protocol: "lessonroom.v1",
    ticket: () => ticketFor(session.member, "operations"),
    hello: (ticket) => ({ type: "hello", ticket, page, after: 0 }),
    onMessage: (snapshot) => operations.heard(snapshot),
    onState: (connection) => operations.connection(connection),
    pingEvery: 0,
    silence: 10_000,
  });
  for (const event of ["online", "focus"]) addEventListener(event, () => socket.nudge());
  for (const event of ["online", "offline"]) addEventListener(event, () => socket.doubt());
  socket.start();
}

main();
