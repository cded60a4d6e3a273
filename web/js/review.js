/** The review page: one message at a time, two ways to decide, the next one at once. */

import { admitted } from "./admission.js";
import { Card, foundIn } from "./card.js";
import { Decisions } from "./decisions.js";
import { announce, byId, drawIcons, el, setIcon, show, write } from "./dom.js";
import { Drift } from "./drift.js";
import * as figures from "./figures.js";
import { languageSwitches, onLanguage, speakFirst, t } from "./i18n.js";
import { WHYS } from "./judging.js";
import { keys } from "./keys.js";
import { address } from "./place.js";
import * as queues from "./queue.js";
import { decide, driftOf, queueOf, textOf } from "./reviews.js";
import { drawSending } from "./sending.js";
import { door, enter } from "./views.js";
import { drawViolators } from "./violators.js";
import { drawWrong } from "./wrong.js";

const EACH = 30_000;
const DRIFT_EACH = 300_000;
/** Fewer messages than this at hand: fetch more. */
const FEW = 6;
/** Nobody reads a message in so many milliseconds: a press that comes sooner was meant for the one before. */
const SLIP = 350;
const FILTERS = ["all", ...WHYS];

class Review {
  #member;
  #queue = queues.empty;
  #filter = "all";
  #card;
  #decisions;
  #drift = new Drift();
  #drawnDrift = null;
  #wrong = null;
  #violators = 0;
  #decided = new Set();
  #later = [];
  #turn = 0;
  #state = "loading";
  #shown = null;
  #shownAt = 0;

  constructor(member) {
    this.#member = member;
    this.#decisions = new Decisions({
      storage: sessionStorage, send: (decision) => decide(member, decision), changed: () => this.#sendingChanged(),
    });
    for (const decision of this.#decisions.unsent) this.#decided.add(queues.nameOf(decision));
    this.#card = new Card({
      ask: (id) => textOf(member, id),
      decide: (contact, kind) => this.#decide(contact, kind),
      later: () => this.#postpone(),
    });
    this.#wire();
    keys(() => this.#state === "open");
    onLanguage(() => {
      this.#draw();
      this.#drawDrift();
    });
  }

  #wire() {
    byId("filter").append(...FILTERS.map((why) => choice(why, why === this.#filter, () => this.#choose(why))));
    byId("send-again").addEventListener("click", () => this.#decisions.retry());
    byId("nothing-action").addEventListener("click", () => (this.#state === "trouble" ? this.refresh() : this.#chooseAll()));
    addEventListener("beforeunload", (event) => this.#decisions.unsent.length && event.preventDefault());
    addEventListener("online", () => this.#again());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#again());
    setInterval(() => document.visibilityState === "visible" && this.refresh(), EACH);
    setInterval(() => document.visibilityState === "visible" && this.drift(), DRIFT_EACH);
    show(byId("to-operations"), true);
    byId("to-operations").href = address(`operations/${encodeURIComponent(this.#member)}`);
  }

  /** Load everything for the first time, send what an earlier visit left, and show the page. */
  async open() {
    this.#decisions.pump();
    this.drift();
    await this.refresh();
    if (this.#state === "trouble") return door("unreachable", () => location.reload());
    if (document.body.dataset.view === "opening") {
      enter("review");
      this.#focus();
    }
    return undefined;
  }

  #again() {
    this.#decisions.retry();
    this.refresh();
  }

  /** Ask the server what waits. */
  async refresh() {
    const turn = (this.#turn += 1);
    const whys = this.#filter === "all" ? WHYS : [this.#filter];
    let answer;
    try {
      answer = await queueOf(this.#member, whys);
    } catch (error) {
      if (error.status === undefined) throw error;
      if (turn === this.#turn) this.#failed(error);
      return;
    }
    if (turn === this.#turn) this.#take(answer);
  }

  #take(answer) {
    this.#queue = queues.taken(answer, {
      current: this.#queue.items[0], decided: this.#decided, unsent: this.#decisions.unsent, later: this.#later,
    });
    this.#wrong = answer.wrong_blocks;
    this.#violators = answer.violators;
    this.#settle();
  }

  #failed(error) {
    if ([401, 403].includes(error.status)) door("used");
    else if (!this.#queue.items.length) {
      this.#state = "trouble";
      this.#draw();
    }
  }

  /** Show the first message of the list, or say that there is none. */
  #settle() {
    const before = this.#state;
    const within = byId("message").contains(document.activeElement) || byId("nothing").contains(document.activeElement);
    this.#state = this.#queue.items.length ? "open" : "empty";
    this.#draw();
    if (before !== this.#state && within) this.#focus();
  }

  #focus() {
    byId(this.#queue.items.length ? "question" : "nothing-title").focus({ preventScroll: true });
  }

  async drift() {
    try {
      this.#drawnDrift = await driftOf(this.#member);
    } catch (error) {
      if (error.status === undefined) throw error;
      this.#drawnDrift ??= "failed";
    }
    this.#drawDrift();
  }

  // --- what the person does ---------------------------------------------------------------------------------------

  #decide(contact, kind) {
    const [item] = this.#queue.items;
    if (!item || performance.now() - this.#shownAt < SLIP) return;
    this.#decided.add(queues.nameOf(item));
    this.#queue = queues.without(this.#queue, item);
    this.#decisions.decide({ id: item.id, why: item.why, contact, kind });
    this.#next(t(contact ? "review.noted.contact" : "review.noted.ordinary"));
  }

  #postpone() {
    const [item] = this.#queue.items;
    this.#later = [...this.#later.filter((id) => id !== item.id), item.id];
    this.#queue = queues.postponed(this.#queue);
    this.#next(t("review.put_off"));
  }

  #next(said) {
    this.#settle();
    const [item] = this.#queue.items;
    const what = item ? t("review.next", { why: t(`why.${item.why}`), kinds: foundIn(item), count: item.words.length }) : byId("nothing-title").textContent;
    announce(`${said} ${what}`);
    if (this.#queue.items.length < FEW && this.#waitsHere() > this.#queue.items.length) this.refresh();
  }

  #choose(why) {
    this.#filter = why;
    const items = this.#queue.items.filter((item) => why === "all" || item.why === why);
    this.#queue = { ...this.#queue, items };
    this.#state = items.length ? "open" : "loading";
    this.#draw();
    this.refresh();
  }

  #chooseAll() {
    byId("filter").querySelector("input").click();
  }

  // --- what is seen -------------------------------------------------------------------------------------------------

  #waitsHere() {
    return queues.total(this.#queue, this.#filter);
  }

  #sendingChanged() {
    drawSending(this.#decisions);
    if (!this.#decisions.unsent.length) this.refresh();
  }

  #draw() {
    const [item = null] = this.#queue.items;
    if (item && this.#shown !== item.id) this.#shownAt = performance.now();
    this.#shown = item?.id ?? null;
    this.#card.show(item);
    show(byId("nothing"), item === null);
    if (!item) this.#drawNothing();
    for (const why of FILTERS) write(byId("filter").querySelector(`[data-count="${why}"]`), figures.number(queues.total(this.#queue, why)));
    if (this.#wrong) {
      drawWrong(this.#wrong);
      drawViolators(this.#violators);
    }
    drawSending(this.#decisions);
    const all = queues.total(this.#queue);
    document.title = `${all ? `(${all}) ` : ""}${t("review.title")} · Lessonroom`;
  }

  #drawNothing() {
    const all = queues.total(this.#queue);
    const word = this.#state === "empty" && all > 0 && this.#filter !== "all" ? "filtered" : this.#state;
    setIcon(byId("nothing-icon"), { loading: "clock", trouble: "refresh" }[word] ?? "check");
    write(byId("nothing-title"), t(`nothing.${word}.title`));
    write(byId("nothing-text"), t(`nothing.${word}.text`, { count: all }));
    show(byId("nothing-action"), word === "trouble" || word === "filtered");
    write(byId("nothing-action"), t(word === "trouble" ? "review.again" : "review.all"));
  }

  #drawDrift() {
    if (!this.#drawnDrift) return;
    const failed = this.#drawnDrift === "failed";
    show(byId("drift-trouble"), failed);
    write(byId("drift-trouble"), failed ? t("drift.failed") : "");
    show(byId("drift-days"), !failed);
    if (!failed) this.#drift.draw(this.#drawnDrift);
  }
}

function choice(why, checked, choose) {
  return el("label", { class: "filter-choice" },
    el("input", { type: "radio", name: "why", value: why, checked, onchange: choose, testid: `filter-${why}` }),
    el("span", { class: "filter-name", "data-t": `filter.${why}` }, t(`filter.${why}`)), el("span", { class: "filter-count", "data-count": why }));
}

async function main() {
  await speakFirst();
  languageSwitches();
  drawIcons();
  const session = await admitted();
  if (!session) return undefined;
  if (session.role !== "observer") return door("gone");
  return new Review(session.member).open();
}

main();
