/** A message in the clear: its text with the found parts marked, what was found, and the lines before it. */

import { el } from "./dom.js";
import { has, t } from "./i18n.js";
import { marked } from "./talk.js";

/** Elements for `{text, findings, before}`. */
export function clear({ text, findings, before }) {
  return [
    before.length ? earlier(before) : null,
    el("p", { class: "clear-text", dir: "auto", testid: "clear-text" }, ...marked(text, findings).map((piece) => el(piece.found ? "mark" : "span", {}, piece.text))),
    findings.length ? el("ul", { class: "evidence note", testid: "evidence" }, ...findings.map(evidence)) : null,
  ].filter(Boolean);
}

function earlier(before) {
  return el("ol", { class: "before", testid: "before", "aria-label": t("review.before") },
    ...before.map(({ own, text }) => el("li", { class: "before-line", "data-own": String(own) },
      el("span", { class: "before-who" }, t(own ? "review.before.own" : "review.before.other")), el("span", { class: "before-text", dir: "auto" }, text))));
}

/** The evidence is the filter's own wording, and English. */
function evidence({ kind, evidence: words }) {
  const name = t(has(`kind.${kind}`) ? `kind.${kind}` : "kind.other");
  return el("li", {}, name, words ? el("span", { lang: "en" }, ` (${words})`) : null);
}
