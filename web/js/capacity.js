/** What limits capacity, how long each stage takes, which processes there are: parts of the operations page. */

import { el } from "./dom.js";
import * as figures from "./figures.js";
import { has, t } from "./i18n.js";

const LOOK = ["receive", "wait", "convert", "face_detector", "face_mesh", "expression", "look", "age", "hint"];
const MESSAGE = ["wait", "screen", "store", "acknowledge", "chat"];
/** The whole of a line, in its table: the stages before it are parts of it. */
const WHOLE = ["look", "age", "chat"];

const NO_GPU = "no GPU, running on CPU";
/** What the server calls the provider while no model runs. */
const OFF = "off";
const known = (value, format) => (value === null || value === undefined ? "–" : format(value));

/** One row for each part: name, how far it is to its limit, and the measure in words. */
export function parts(now) {
  return Object.entries(now.load).map(([part, share]) => {
    const full = now.full.includes(part);
    const state = full ? "full" : share >= 0.85 ? "busy" : "well";
    return el("div", { class: "part", "data-state": state, "data-limits": String(part === now.health.limits), testid: `part-${part}` },
      el("span", { class: "part-name" }, t(`part.${part}`)),
      el("meter", { min: "0", max: "1", high: "0.85", value: String(Math.min(1, share)), "aria-label": t(`part.${part}`) }),
      el("span", { class: "part-share" }, figures.share(share), full ? el("strong", {}, t("ops.part.full")) : null),
      el("span", { class: "part-more" }, more(part, now)));
  });
}

function more(part, now) {
  const age = now.stages.look.age?.p95;
  if (part === "store") return t("part.store.more", { count: now.store_queue });
  if (part === "event_loop") return t("part.event_loop.more", { value: figures.milliseconds(now.loop_ms.mean) });
  if (part === "processor") return t("part.processor.more", { value: figures.share(now.cpu.machine), ours: figures.share(ours(now)) });
  if (part === "analysers") return t("part.analysers.more", { count: figures.number(now.analysers), most: figures.number(now.analysers_most) });
  if (part === "gpu") return t("part.gpu.more");
  if (now.late_share >= 0.01) return t("part.inference.late", { value: figures.share(now.late_share) });
  return age === undefined ? t("part.inference.none") : t("part.inference.more", { value: figures.milliseconds(age) });
}

/** The share of all cores that the server's processes take. */
export function ours({ cpu, processes: others }) {
  return others.reduce((sum, one) => sum + one.cpu, cpu.process) / cpu.cores;
}

/** Two tables, one for each line, with the median and the 95th percentile of each stage in the last minute. */
export function stages({ stages: { look, message } }) {
  return [
    stageTable(t("ops.stages.look"), "look", inOrder(look, LOOK), look),
    stageTable(t("ops.stages.message"), "message", inOrder(message, MESSAGE), message),
  ];
}

/** The stages that something came through, those that we know in the order in which they come, others before the whole. */
export function inOrder(seen, order) {
  const strange = Object.keys(seen).filter((stage) => !order.includes(stage));
  const first = order.filter((stage) => !WHOLE.includes(stage) && stage !== "hint");
  return [...first, ...strange, ...order.filter((stage) => !first.includes(stage))].filter((stage) => stage in seen);
}

function stageTable(title, line, order, seen) {
  const head = el("h3", {}, title);
  if (!order.length) return el("div", { class: "card stages", testid: `stages-${line}` }, head, el("p", { class: "note" }, t("ops.stages.none")));
  const most = Math.max(...order.map((stage) => seen[stage].p95));
  return el("div", { class: "card stages", testid: `stages-${line}` }, head,
    el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("ops.stage")), el("th", { "aria-hidden": "true" }), el("th", { scope: "col", class: "number" }, "p50"), el("th", { scope: "col", class: "number" }, "p95"))),
      el("tbody", {}, ...order.map((stage) => stageRow(line, stage, seen[stage], most)))));
}

function stageRow(line, stage, { p50, p95 }, most) {
  const key = `stage.${line}.${stage}`;
  return el("tr", { "data-whole": String(WHOLE.includes(stage)) },
    el("th", { scope: "row" }, has(key) ? t(key) : stage),
    el("td", { class: "stage-bar", "aria-hidden": "true" }, el("meter", { min: "0", max: String(most), value: String(p95) })),
    el("td", { class: "number" }, figures.milliseconds(p50)),
    el("td", { class: "number" }, figures.milliseconds(p95)));
}

/** The server's own process and those beside it. */
export function processes(now) {
  const own = { kind: "own", count: 1, cpu: now.cpu.process, memory_mb: now.memory_mb };
  return el("div", { class: "card stages", testid: "processes" },
    el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("ops.process")), el("th", { scope: "col", class: "number" }, t("ops.process.number")), el("th", { scope: "col", class: "number" }, t("ops.process.cpu")), el("th", { scope: "col", class: "number" }, t("ops.memory")))),
      el("tbody", {}, ...[own, ...now.processes].map(processRow))));
}

function processRow({ kind, count, cpu, memory_mb: memory }) {
  return el("tr", { testid: `process-${kind}`, "data-state": count ? "up" : "gone" },
    el("th", { scope: "row" }, t(`process.${kind}`)),
    el("td", { class: "number" }, figures.number(count)),
    el("td", { class: "number" }, figures.share(cpu)),
    el("td", { class: "number" }, figures.memory(memory)));
}

/** Why no model runs, in the server's words; empty while one does. */
export function whyOff({ provider, provider_reason: reason }) {
  return provider === OFF ? (reason ?? "") : "";
}

/** Where inference runs: a card for each GPU, or words where there is none, or where no model runs at all. */
export function compute({ provider, provider_reason: reason, gpus, gpu_note: note }) {
  if (provider === OFF) return [...gpus.map(gpuCard), el("div", { class: "card", testid: "models-off" }, el("h3", {}, t("ops.models_off")), el("p", { class: "note", lang: "en" }, reason ?? ""))];
  if (!gpus.length) {
    // a card that is there and cannot be read is named in the server's words: it must not pass for none
    const found = note === NO_GPU ? t("ops.no_gpu") : note;
    return [el("div", { class: "card", testid: "no-gpu" }, el("h3", {}, found), el("p", { class: "note", lang: "en" }, reason ?? ""))];
  }
  return [
    ...gpus.map(gpuCard),
    el("div", { class: "card" }, el("h3", {}, t("ops.provider", { provider })), el("p", { class: "note", lang: "en" }, reason ?? "")),
  ];
}

function gpuCard(gpu, index) {
  const bar = (label, part, text) => [
    el("span", { class: "quiet" }, label),
    el("span", { class: "number" }, text),
    // what the card does not tell has no bar: an empty one would say nought
    part === null || part === undefined ? null : el("meter", { min: "0", max: "1", high: "0.85", value: String(part), "aria-label": label }),
  ];
  return el("div", { class: "card", testid: `gpu-${index}` }, el("h3", {}, gpu.name),
    el("div", { class: "gpu-rows" },
      ...bar(t("ops.gpu.utilization"), gpu.utilization, known(gpu.utilization, figures.share)),
      ...bar(t("ops.gpu.memory"), gpu.memory_used_mb / gpu.memory_mb, t("ops.gpu.of", { used: figures.memory(gpu.memory_used_mb), all: figures.memory(gpu.memory_mb) })),
      ...bar(t("ops.gpu.temperature"), gpu.temperature_c && gpu.temperature_c / 100, known(gpu.temperature_c, celsius)),
      el("span", { class: "quiet" }, t("ops.gpu.power")), el("span", { class: "number" }, known(gpu.power_w, watts))));
}

const celsius = (value) => t("unit.celsius", { value: figures.number(value) });
const watts = (value) => t("unit.watt", { value: figures.number(value) });
