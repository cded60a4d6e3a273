/** The message in the middle of the review page: shuffled words, why it is here, and two ways to decide. */

import { announce, byId, el, setIcon, show, write } from "./dom.js";
import * as figures from "./figures.js";
import { has, onLanguage, speech, t } from "./i18n.js";
import { sureness } from "./judging.js";
import { clear } from "./clear.js";

/** Pixels of the earlier lines that stay in view. */
const ABOVE = 56;
const ICONS = { appealed: "person", held: "clock", blocked: "shield", sample: "list" };
const KINDS = ["phone", "email", "messenger", "profile", "link", "find_me", "solicit", "payment", "address", "meeting"];

export class Card {
  #item = null;
  #text = { state: "hidden" };
  #ask;

  /** `ask(id)`: the message in the clear; `decide(contact, kind)`, `later()`: what the buttons do. */
  constructor({ ask, decide, later }) {
    this.#ask = ask;
    byId("ordinary").addEventListener("click", () => decide(false, null));
    byId("contact").addEventListener("click", () => decide(true, byId("kind").value || null));
    byId("later").addEventListener("click", later);
    byId("show-text").addEventListener("click", () => this.reveal());
    onLanguage(() => this.#item && this.#draw());
    new ResizeObserver(() => reachable(byId("words-frame"))).observe(byId("words-frame"));
  }

  /** Show this message, or nothing. The same message again keeps its words, and its text if that is open. */
  show(item) {
    const other = item?.id !== this.#item?.id;
    if (!other && item?.why === this.#item?.why) return;
    this.#item = item;
    if (other) this.#text = { state: "hidden" };
    show(byId("message"), item !== null);
    if (!item) return;
    if (other) this.#fresh();
    this.#draw();
  }

  /** Ask for the text, which the server records, and show it in place of the words. */
  async reveal() {
    if (!this.#item || ["asking", "open"].includes(this.#text.state)) return;
    const { id } = this.#item;
    this.#tell({ state: "asking" });
    let next;
    try {
      next = { state: "open", message: await this.#ask(id) };
    } catch (error) {
      if (error.status === undefined) throw error;
      next = { state: error.status === 404 ? "gone" : "failed" };
    }
    // meanwhile somebody may have decided without it
    if (this.#item?.id !== id) return;
    this.#tell(next);
    announce([t(`text.${next.state}`), next.message?.text ?? ""].join(" "));
  }

  #tell(text) {
    this.#text = text;
    this.#drawText();
  }

  #fresh() {
    byId("chips").replaceChildren(...this.#item.words.map((word) => el("li", { class: "chip" }, word)));
    byId("words-frame").scrollTop = 0;
    byId("kind").value = "";
  }

  #draw() {
    const { why, at, probability, degraded } = this.#item;
    byId("message").dataset.why = why;
    setIcon(byId("why-icon"), ICONS[why]);
    write(byId("why"), t(`why.${why}`));
    write(byId("why-more"), t(`why.more.${why}`));
    write(byId("age"), t("review.age", { age: figures.age(Date.now() / 1000 - at) }));
    byId("facts").replaceChildren(
      ...fact(t("review.found"), foundIn(this.#item), "found"),
      ...fact(t("review.sure"), t(`sure.${sureness({ probability, degraded })}`), "sure"),
      ...fact(t("review.language"), languageOf(this.#item), "lang"),
    );
    for (const way of ["ordinary", "contact"]) write(byId(`${way}-means`), t(`means.${way}.${why}`));
    this.#drawKinds();
    this.#drawText();
  }

  #drawKinds() {
    const select = byId("kind");
    const chosen = select.value;
    select.replaceChildren(new Option(t("review.kind.open"), ""), ...KINDS.map((kind) => new Option(t(`kind.${kind}`), kind)));
    select.value = chosen;
  }

  #drawText() {
    const { state, message } = this.#text;
    const open = state === "open";
    show(byId("chips"), !open);
    show(byId("clear"), open);
    byId("clear").replaceChildren(...(open ? clear(message) : []));
    const button = byId("show-text");
    button.setAttribute("aria-disabled", String(open || state === "asking"));
    write(byId("show-text-label"), t(state === "failed" ? "review.again" : "review.show"));
    write(byId("text-note"), t(`text.${state}`));
    if (open) toText();
    reachable(byId("words-frame"));
  }
}

/** Where the lines before it fill the frame, begin with the message itself and the line above it. */
function toText() {
  const frame = byId("words-frame");
  const text = frame.querySelector(".clear-text");
  frame.scrollTop = text.offsetTop + text.offsetHeight > frame.clientHeight ? text.offsetTop - ABOVE : 0;
}

/** A frame that can be scrolled is a stop for the keyboard; one that shows everything need not be. */
function reachable(frame) {
  if (frame.scrollHeight > frame.clientHeight + 1) frame.tabIndex = 0;
  else frame.removeAttribute("tabindex");
}

/** The kinds of a message in words. */
export function foundIn({ kinds }) {
  return kinds.length ? list(kinds.map((kind) => t(has(`kind.${kind}`) ? `kind.${kind}` : "kind.other"))) : t("kind.none");
}

const list = (words) => new Intl.ListFormat(speech.locale, { type: "unit", style: "short" }).format(words);

/** The language of a message, in the reader's. */
export function languageOf({ lang }) {
  if (lang === "other") return t("language.other");
  return new Intl.DisplayNames(speech.locale, { type: "language" }).of(lang);
}

function fact(name, value, testid) {
  return [el("div", { class: "fact" }, el("dt", {}, name), el("dd", { testid: `fact-${testid}` }, value))];
}
