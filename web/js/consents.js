/** The page of choices: what may be done, each purpose apart, for a person or for the child that they answer for. */

import { admitted } from "./admission.js";
import { Answers } from "./answers.js";
import { get, post } from "./api.js";
import { Choice } from "./choice.js";
import { byId, drawIcons, show, write } from "./dom.js";
import { languageSwitches, onLanguage, speakFirst, speech, t } from "./i18n.js";
import { leadToChoices, tellLesson } from "./links.js";
import { door, enter } from "./views.js";

/** How often the page asks what the other side has said, in milliseconds. */
const EACH = 15_000;

class Choices {
  #member;
  #path;
  #view = null;
  #old = false;
  #answers;
  #choices = new Map();
  #turn = 0;

  constructor(member) {
    this.#member = member;
    this.#path = `api/members/${encodeURIComponent(member)}/consents`;
    this.#answers = new Answers({
      send: (answer) => post(this.#path, answer),
      saved: (view, answer) => this.#saved(view, answer),
      changed: () => this.#draw(),
    });
    onLanguage(() => this.#draw());
    addEventListener("beforeunload", (event) => this.#answers.unsaved && event.preventDefault());
    addEventListener("online", () => this.#again());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#again());
    setInterval(() => document.visibilityState === "visible" && this.refresh(), EACH);
  }

  /** Load what was said, and show it. */
  async open() {
    await this.refresh();
    if (this.#view) enter("choices");
    else if (document.body.dataset.view === "opening") door("unreachable", () => location.reload());
  }

  /** Ask the server how it stands. An answer that is given meanwhile is newer than what comes. */
  async refresh() {
    const turn = (this.#turn += 1);
    try {
      const view = await get(this.#path);
      if (turn !== this.#turn) return;
      this.#view = view;
      this.#old = false;
    } catch (error) {
      if (error.status === undefined) throw error;
      if (error.final) return door(error.status === 401 ? "used" : "gone");
      this.#old = true;
    }
    this.#draw();
  }

  #again() {
    this.#answers.retry();
    this.refresh();
  }

  #say(purpose, given) {
    this.#turn += 1;
    if (purpose === "hints" && !given) this.#tell(given);
    this.#answers.say({ purpose, given, text: t("consent.version"), lang: speech.language });
  }

  #saved(view, { purpose, given }) {
    this.#turn += 1;
    this.#view = view;
    this.#old = false;
    if (purpose === "hints" && given) this.#tell(given);
  }

  /** The student's own lesson hears of it at once; a guardian's word reaches it through the server. */
  #tell(given) {
    if (this.#view.by === "self") tellLesson(this.#member, given);
  }

  // --- what is seen -------------------------------------------------------------------------------------------------

  #draw() {
    if (!this.#view) return;
    this.#drawWords(this.#view);
    for (const one of this.#view.purposes) {
      const answer = this.#answers.of(one.purpose);
      if (answer?.state === "closed") door("used");
      this.#choice(one.purpose).draw(this.#view, one, answer);
    }
  }

  #drawWords({ by, name, two_keys: twoKeys, purposes }) {
    const title = by === "guardian" ? t("choices.title.for", { name }) : t("choices.title");
    write(byId("choices-title"), title);
    document.title = `${title} · Lessonroom`;
    write(byId("choices-intro"), t(`choices.intro.${by === "self" && twoKeys ? "both" : by}`));
    const hints = purposes.some(({ purpose }) => purpose === "hints");
    write(byId("choices-back"), t(hints ? "choices.back.hints" : "choices.back"));
    show(byId("choices-old"), this.#old);
    write(byId("choices-old"), this.#old ? t("choices.old") : "");
  }

  #choice(purpose) {
    if (!this.#choices.has(purpose)) {
      const choice = new Choice(purpose, (given) => this.#say(purpose, given));
      this.#choices.set(purpose, choice);
      byId("choice-list").append(choice.element);
    }
    return this.#choices.get(purpose);
  }
}

async function main() {
  await speakFirst();
  languageSwitches();
  drawIcons();
  const session = await admitted();
  if (!session) return undefined;
  if (session.role === "observer") return door("gone");
  leadToChoices(session.member);
  return new Choices(session.member).open();
}

main();
