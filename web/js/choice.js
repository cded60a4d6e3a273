/** One purpose on the page of choices: what it is, two equal answers, what was said, and what the other side said. */

import { el, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { date, t } from "./i18n.js";

/** What this reader and the other side have said: the two words of a purpose, the reader's first. */
export function sides({ by }, { own, guardian }) {
  return by === "guardian" ? [guardian, own] : [own, guardian];
}

/** Which button is pressed: true, false, or null for none. A no counts when it is pressed, a yes when it is saved. */
export function pressedOf(word, answer) {
  if (answer && !answer.given && answer.state !== "refused") return false;
  return word ? word.given : null;
}

/** The key of what the reader has said. The student says it anew in each lesson. */
export function saidOf({ by }, { purpose }, word, answer) {
  if (answer?.state === "sending") return "choices.saving";
  const pressed = pressedOf(word, answer);
  if (pressed === null) return "choices.said.none";
  if (!pressed) return "choices.said.no";
  return by === "self" && purpose === "hints" ? "choices.said.lesson" : "choices.said.yes";
}

/** The key of why an answer is not saved, or null. */
export function troubleOf(answer) {
  if (!answer || answer.state === "sending") return null;
  if (answer.state !== "failing") return "choices.failed.refused";
  if (answer.given) return "choices.failed.yes";
  return answer.purpose === "hints" ? "choices.failed.hints" : "choices.failed.no";
}

const keyOf = (word) => (word ? `choices.key.${word.given ? "yes" : "no"}` : "choices.key.none");

export class Choice {
  #purpose;
  #parts;

  /** `say(given)`: what the two buttons do. */
  constructor(purpose, say) {
    this.#purpose = purpose;
    const id = `choice-${purpose}`;
    const button = (word, given) =>
      el("button", { class: "button button-equal", type: "button", id: `${id}-${word}`, testid: `${purpose}-${word}`, "aria-describedby": `${id}-title`, onclick: () => say(given) },
        el("span", { class: "answer" }, icon("check"), el("span", {})));
    this.#parts = {
      title: el("h2", { id: `${id}-title` }),
      what: el("p", {}),
      no: button("no", false),
      yes: button("yes", true),
      said: el("p", { class: "choice-said", testid: `${purpose}-said` }),
      other: el("p", { class: "choice-other", testid: `${purpose}-other` }),
      trouble: el("p", { class: "choice-trouble", testid: `${purpose}-trouble` }),
    };
    const { title, what, no, yes, said, other, trouble } = this.#parts;
    this.element = el("section", { class: "card choice", "aria-labelledby": title.id, testid: id },
      title, what, el("div", { class: "equal", role: "group", "aria-labelledby": title.id }, no, yes),
      el("div", { class: "choice-state", role: "status" }, said, trouble, other));
  }

  /** Show how it stands: the server's view, this purpose in it, and the answer that is not saved, if any. */
  draw(view, one, answer) {
    const { title, what, no, yes } = this.#parts;
    const [word, other] = sides(view, one);
    const pressed = pressedOf(word, answer);
    write(title, t(`choices.${this.#purpose}.title`));
    write(what, t(`choices.${this.#purpose}.${view.by}`));
    write(no.firstChild.lastChild, t("choices.no"));
    write(yes.firstChild.lastChild, t("choices.yes"));
    no.setAttribute("aria-pressed", String(pressed === false));
    yes.setAttribute("aria-pressed", String(pressed === true));
    this.#drawSaid(view, one, word, answer);
    this.#drawOther(view, pressed, other);
  }

  #drawSaid(view, one, word, answer) {
    const { said, trouble } = this.#parts;
    write(said, t(saidOf(view, one, word, answer), { date: word ? date(word.expires_at * 1000) : "" }));
    const key = troubleOf(answer);
    // an answer that failed is not what was said: its own sentence tells how it stands
    show(said, key === null);
    show(trouble, key !== null);
    write(trouble, key === null ? "" : t(key));
  }

  #drawOther({ by, name, two_keys: twoKeys }, pressed, word) {
    const { other } = this.#parts;
    show(other, twoKeys);
    if (!twoKeys) return;
    const who = by === "guardian" ? name : t("choices.guardian");
    const waits = pressed === true && word?.given !== true ? t("choices.waits") : "";
    write(other, [t("choices.other", { who, said: t(keyOf(word)) }), waits].filter(Boolean).join(" "));
  }
}
