/** The operations page: one sentence, figures, the last hour, processors, rooms. No names, no pictures, no words. */

import { ticketFor } from "./api.js";
import { admitted } from "./admission.js";
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
const NO_GPU = "no GPU, running on CPU";
const perSecond = (value) => t("unit.per_second", { value: figures.short(value) });

const FIGURES = [
  ["rooms", (now) => figures.number(now.rooms)],
  ["analysers", (now) => figures.number(now.analysers)],
  ["samples", (now) => perSecond(now.samples_per_second)],
  ["drops", (now) => perSecond(now.drops_per_second)],
  ["inference", (now) => known(now.inference_ms.p95, figures.milliseconds), (now) => t("ops.median", { value: known(now.inference_ms.p50, figures.milliseconds) })],
  ["queue", (now) => figures.number(now.queue)],
  ["cpu", (now) => figures.share(now.cpu.process), (now) => t("ops.machine", { value: figures.share(now.cpu.machine) })],
  ["memory", (now) => figures.memory(now.memory_mb)],
  ["chat", (now) => perSecond(now.chat_per_second), (now) => t("ops.relayed", { count: now.verdicts.relay })],
  ["stopped", (now) => figures.number(now.verdicts.block), (now) => t("ops.held", { count: now.verdicts.hold })],
];

const LINES = [
  ["samples", "samples", perSecond],
  ["inference", "inference_p95", figures.milliseconds],
  ["cpu", "cpu", figures.share],
  ["queue", "queue", figures.short],
  ["chat", "chat", perSecond],
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
    if (state === "ended") door(reason === "replaced" ? "replaced" : "used", reason === "replaced" ? () => location.reload() : null);
    if (state === "lost" && this.#now === null) door("unreachable", () => location.reload());
    if (this.#now) this.#draw();
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
    byId("compute").replaceChildren(...compute(this.#now));
    byId("rooms-body").replaceChildren(...this.#now.table.map(row));
    show(byId("rooms-none"), this.#now.table.length === 0);
    show(byId("rooms"), this.#now.table.length > 0);
  }

  #health() {
    const { state, limits, sentence_key: sentence } = this.#now.health;
    byId("health").dataset.state = this.#stale ? "red" : state;
    const key = has(`health.${sentence}`) ? `health.${sentence}` : `health.${state}`;
    write(byId("health-sentence"), t(this.#stale ? "health.stale" : key));
    write(byId("health-limits"), this.#stale ? t("health.stale.text") : t(has(`limits.${limits}`) ? `limits.${limits}` : "limits.none"));
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

function compute({ provider, provider_reason: reason, gpus, gpu_note: note }) {
  if (!gpus.length) {
    // a card that is there and cannot be read is named in the server's words: it must not pass for none
    const found = note === NO_GPU ? t("ops.no_gpu") : note;
    return [el("div", { class: "card", testid: "no-gpu" }, el("h3", {}, found), el("p", { class: "note" }, reason ?? ""))];
  }
  return [
    ...gpus.map((gpu, index) => gpuCard(gpu, index)),
    el("div", { class: "card" }, el("h3", {}, t("ops.provider", { provider })), el("p", { class: "note" }, reason ?? "")),
  ];
}

function gpuCard(gpu, index) {
  const bar = (label, part, text) => [
    el("span", { class: "quiet" }, label),
    el("meter", { min: "0", max: "1", value: String(part), "aria-label": label }),
    el("span", { class: "number" }, text),
  ];
  return el("div", { class: "card", testid: `gpu-${index}` }, el("h3", {}, gpu.name),
    el("div", { class: "gpu-rows" },
      ...bar(t("ops.gpu.utilization"), gpu.utilization, figures.share(gpu.utilization)),
      ...bar(t("ops.gpu.memory"), gpu.memory_used_mb / gpu.memory_mb, t("ops.gpu.of", { used: figures.memory(gpu.memory_used_mb), all: figures.memory(gpu.memory_mb) })),
      ...bar(t("ops.gpu.temperature"), gpu.temperature_c / 100, t("unit.celsius", { value: figures.number(gpu.temperature_c) }))));
}

function row(room) {
  const hint = known(room.last_hint_age_s, figures.age);
  return el("tr", { testid: "room-row" },
    el("td", {}, el("code", {}, room.room)),
    el("td", { class: "number" }, figures.age(room.age_s)),
    el("td", {}, room.mode),
    el("td", {}, el("span", { class: "state", "data-state": room.state }, t(`ops.state.${room.state}`))),
    el("td", {}, room.stream || "–"),
    el("td", { class: "number" }, figures.number(room.samples)),
    el("td", { class: "number" }, figures.number(room.drops)),
    el("td", { class: "number" }, hint));
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
  socket.start();
}

main();
