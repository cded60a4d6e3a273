/**
 * The input line: what is typed, and a stopped message with its found part marked, until the writer decides.
 * Nothing typed is lost: a draft survives a reload, and steps aside while a stopped message takes its place.
 */

import { byId, show, write } from "./dom.js";
import { has, onLanguage, t } from "./i18n.js";
import * as talk from "./talk.js";

const CLOSE_TO_FULL = 0.9;
const MOST_REASONS = 3;

export class Composer {
  #store;
  #outbox;
  #actions;
  #draft = byId("draft");
  #stopped = null;
  #aside = "";

  /** `actions`: send(text), appeal(id), remove(id). */
  constructor(store, outbox, actions) {
    this.#store = store;
    this.#outbox = outbox;
    this.#actions = actions;
    this.#draft.value = outbox.draft;
    this.#draft.addEventListener("input", () => this.#typed());
    this.#draft.addEventListener("keydown", (event) => this.#key(event));
    this.#draft.addEventListener("scroll", () => (byId("marks").scrollTop = this.#draft.scrollTop));
    byId("composer").addEventListener("submit", (event) => this.#submit(event));
    byId("stopped-edit").addEventListener("click", () => this.#edit());
    byId("stopped-appeal").addEventListener("click", () => this.#decide(this.#actions.appeal));
    byId("stopped-delete").addEventListener("click", () => this.#decide(this.#actions.remove));
    store.subscribe((state, before) => state.messages !== before.messages && this.#look());
    onLanguage(() => this.#paint());
    this.#look();
    this.#paint();
  }

  /** Put the text of a message that was not sent back into the input line, before what stands there. */
  takeBack(text) {
    this.#draft.value = joined(text, this.#draft.value);
    this.#typed();
    this.#draft.focus();
  }

  #look() {
    const { messages, me } = this.#store.state;
    const found = talk.stopped(messages, me);
    if (found?.id === this.#stopped?.id) return;
    if (found && !this.#stopped) this.#aside = joined(this.#draft.value, this.#aside);
    this.#stopped = found;
    this.#draft.value = found ? found.text : this.#aside;
    if (!found) this.#aside = "";
    this.#paint();
    if (found) this.#draft.focus();
  }

  #typed() {
    const stopped = this.#stopped;
    if (stopped && this.#draft.value !== stopped.text) {
      // once changed it is a new message; the stopped one is put away, and the draft that stepped aside still waits
      this.#stopped = null;
      this.#actions.remove(stopped.id);
    }
    this.#paint();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit(event);
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#draft.value.trim();
    if (this.#stopped || !text || this.#over() > 0) return;
    this.#draft.value = this.#aside;
    this.#aside = "";
    this.#paint();
    this.#actions.send(text);
    this.#draft.focus();
  }

  #edit() {
    const found = this.#stopped.findings[0];
    this.#draft.focus();
    if (found) this.#draft.setSelectionRange(found.start, found.end);
  }

  #decide(act) {
    const { id } = this.#stopped;
    act(id);
    this.#draft.focus();
  }

  #over() {
    return lengthOf(this.#draft.value) - this.#store.state.chatLength;
  }

  #paint() {
    const stopped = this.#stopped;
    show(byId("stopped"), Boolean(stopped));
    show(byId("stopped-ways"), Boolean(stopped));
    byId("composer").dataset.stopped = String(Boolean(stopped));
    write(byId("stopped-reason"), stopped ? reason(stopped.findings) : "");
    this.#paintMarks();
    this.#paintCounter();
    byId("send").disabled = Boolean(stopped) || !this.#draft.value.trim() || this.#over() > 0;
    this.#outbox.draft = joined(stopped ? "" : this.#draft.value, this.#aside);
    this.#grow();
  }

  #paintMarks() {
    const pieces = this.#stopped ? talk.marked(this.#stopped.text, this.#stopped.findings) : [];
    byId("marks").replaceChildren(
      ...pieces.map(({ text, found }) => {
        const piece = document.createElement(found ? "mark" : "span");
        piece.textContent = text;
        return piece;
      }),
    );
  }

  #paintCounter() {
    const { chatLength } = this.#store.state;
    const length = lengthOf(this.#draft.value);
    show(byId("counter"), length > chatLength * CLOSE_TO_FULL);
    byId("counter").dataset.over = String(length > chatLength);
    const key = length > chatLength ? "chat.over" : "chat.left";
    write(byId("counter"), t(key, { count: Math.abs(chatLength - length) }));
  }

  #grow() {
    this.#draft.style.height = "auto";
    this.#draft.style.height = `${this.#draft.scrollHeight}px`;
  }
}

/** Characters as the server counts them: code points. */
const lengthOf = (text) => [...text].length;

const joined = (...texts) => texts.filter(Boolean).join("\n");

/** Why a message was stopped, in words: a sentence for each kind that was found, then the rule. */
function reason(findings) {
  const kinds = [...new Set(findings.map(({ kind }) => (has(`found.${kind}`) ? kind : "other")))];
  const sentences = (kinds.length ? kinds : ["other"]).slice(0, MOST_REASONS).map((kind) => t(`found.${kind}`));
  return [...sentences, t("stopped.rule")].join(" ");
}
