/** The teacher's hints: one quiet card for half a minute, then the list "Earlier in this lesson", and the switch. */

import { byId, el, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { clock, has, onLanguage, t } from "./i18n.js";
import { shortened } from "./names.js";
import { HINT_STAYS, onCard, other } from "./state.js";

const THANKS = 1_600;

export class Hints {
  #store;
  #actions;
  #card = null;
  #timer = null;
  #left = 0;
  #since = 0;

  /** `actions`: answer(id, helpful), shelve(id), turn(on). */
  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
    byId("hints-on").addEventListener("change", ({ target }) => actions.turn(target.checked));
    store.subscribe((state, before) => {
      if (state.hints !== before.hints || state.hintsOn !== before.hintsOn || state.members !== before.members) this.#draw();
    });
    onLanguage(() => {
      this.#card = null;
      this.#draw();
    });
    this.#draw();
  }

  #draw() {
    const { state } = this.#store;
    byId("hints-on").checked = state.hintsOn;
    this.#drawCard(onCard(state), nameOf(state));
    this.#drawEarlier(state.hints.filter((hint) => hint.shelved), nameOf(state));
  }

  #drawCard(hint, name) {
    if ((hint?.id ?? null) === (this.#card?.dataset.hint ?? null)) return;
    clearTimeout(this.#timer);
    this.#card = hint && this.#cardFor(hint, name);
    byId("hint-slot").replaceChildren(...(this.#card ? [this.#card] : []));
    if (this.#card) this.#keepFor(hint.id, HINT_STAYS);
  }

  #cardFor(hint, name) {
    const answer = (helpful, key, testid) => el("button", {
      class: "button button-small", type: "button", testid, onclick: () => this.#answer(hint.id, helpful),
    }, t(key));
    const card = el("article", { class: "hint", "data-hint": hint.id, "data-cue": hint.cue, testid: "hint" },
      el("span", { class: "hint-icon" }, icon(hint.cue === "stuck_button" ? "help" : "bulb")),
      el("div", { class: "hint-words" },
        el("p", { class: "hint-cue", testid: "hint-cue" }, cueOf(hint, name)),
        el("p", { class: "hint-advice", testid: "hint-advice" }, adviceOf(hint, name))),
      el("div", { class: "hint-answers" },
        answer(true, "hint.helpful", "hint-helpful"), answer(false, "hint.not_helpful", "hint-not-helpful")),
      el("button", {
        class: "plain hint-close", type: "button", "aria-label": t("hint.close"), title: t("hint.close"),
        testid: "hint-close", onclick: () => this.#answer(hint.id, null),
      }, icon("close")));
    // who is reading or about to answer gets the time for it
    for (const event of ["pointerenter", "focusin"]) card.addEventListener(event, () => this.#hold());
    for (const event of ["pointerleave", "focusout"]) card.addEventListener(event, () => this.#keepFor(hint.id, this.#left));
    return card;
  }

  #keepFor(id, milliseconds) {
    clearTimeout(this.#timer);
    this.#left = milliseconds;
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#actions.shelve(id), milliseconds);
  }

  #hold() {
    clearTimeout(this.#timer);
    this.#left = Math.max(3_000, this.#left - (performance.now() - this.#since));
    this.#since = performance.now();
  }

  #answer(id, helpful) {
    this.#actions.answer(id, helpful);
    if (helpful === null || this.#card?.dataset.hint !== id) return this.#actions.shelve(id);
    this.#card.querySelector(".hint-answers").replaceChildren(
      el("p", { class: "hint-thanks", testid: "hint-thanks" }, icon("check"), t("hint.thanks")),
    );
    return this.#keepFor(id, THANKS);
  }

  #drawEarlier(hints, name) {
    const button = byId("earlier-button");
    show(button, hints.length > 0);
    write(byId("earlier-count"), t("hints.earlier.count", { count: hints.length }));
    const list = byId("earlier-list");
    const held = list.contains(document.activeElement) ? document.activeElement.dataset.answer : null;
    list.replaceChildren(...hints.toReversed().map((hint) => this.#earlierRow(hint, name)));
    // who answers by keyboard stays on the button that was pressed
    if (held) list.querySelector(`[data-answer="${CSS.escape(held)}"]`)?.focus();
  }

  #earlierRow(hint, name) {
    const answer = (helpful, key) => el("button", {
      class: "button button-small", type: "button", "aria-pressed": String(hint.answered && hint.helpful === helpful),
      "data-answer": `${hint.id} ${helpful}`,
      onclick: () => this.#actions.answer(hint.id, helpful),
    }, t(key));
    return el("li", { testid: "earlier-hint" },
      el("time", { class: "quiet", datetime: new Date(hint.at).toISOString() }, clock(hint.at)),
      el("div", {}, el("p", { class: "hint-cue" }, cueOf(hint, name)), el("p", { class: "quiet" }, adviceOf(hint, name)),
        el("div", { class: "earlier-answers" }, answer(true, "hint.helpful"), answer(false, "hint.not_helpful"))));
  }
}

function nameOf(state) {
  return shortened(other(state)?.name || t("role.student"));
}

function cueOf({ cue }, name) {
  return t(has(`cue.${cue}`) ? `cue.${cue}` : "cue.other", { name });
}

function adviceOf({ advice }, name) {
  return t(has(`advice.${advice}`) ? `advice.${advice}` : "advice.other", { name });
}
