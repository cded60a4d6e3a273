/**
 * What a person has decided and the server has not yet stored. It survives a reload (session storage of the tab) and is
 * sent one after another in the background; a decision that does not go through stays first and is tried again.
 */

/** Without the member: a new link for the same operator, opened in this tab, sends what the old session left. */
const KEY = "lessonroom.decisions";
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 30_000;
/** Answers after which it is no use to send the same again: the message is gone, somebody was faster, page and server differ. */
const OVER = { 404: "gone", 409: "overruled", 422: "refused" };
/** Answers after which nothing can be sent until the page is opened anew. */
const CLOSED = [401, 403];

export class Decisions {
  #storage;
  #send;
  #changed;
  #after;
  #pause = FIRST_PAUSE;
  #timer = null;
  #busy = false;

  /** What became of decisions since the page was opened; `trouble`: null, `failing` or `closed`. */
  status = { stored: 0, overruled: 0, gone: 0, refused: 0, trouble: null };

  /**
   * `send(decision)` resolves when it is stored, or rejects with an ApiError; `changed()` runs after every change;
   * `after(act, milliseconds)` and what it returns are as of `setTimeout`.
   */
  constructor({ storage, send, changed, after = (act, pause) => setTimeout(act, pause) }) {
    this.#storage = storage;
    this.#send = send;
    this.#changed = changed;
    this.#after = after;
  }

  /** Decisions that the server has not got, oldest first: `{id, why, contact, kind}`. */
  get unsent() {
    return JSON.parse(this.#storage.getItem(KEY) ?? "[]");
  }

  /** Keep a decision, then send it. */
  decide(decision) {
    this.#keep([...this.unsent, decision]);
    this.#changed();
    return this.pump();
  }

  /** Try again now. */
  retry() {
    clearTimeout(this.#timer);
    this.#pause = FIRST_PAUSE;
    return this.pump();
  }

  /** Send everything that waits, until one does not go through. */
  async pump() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.unsent.length && (await this.#sent(this.unsent[0])));
    } finally {
      this.#busy = false;
    }
  }

  async #sent(decision) {
    const outcome = await this.#outcome(decision);
    const over = outcome === "stored" || Object.values(OVER).includes(outcome);
    if (over) {
      this.#keep(this.unsent.slice(1));
      this.#pause = FIRST_PAUSE;
      this.status = { ...this.status, [outcome]: this.status[outcome] + 1, trouble: null };
    } else {
      this.status = { ...this.status, trouble: outcome };
      if (outcome === "failing") this.#tryLater();
    }
    this.#changed();
    return over;
  }

  async #outcome(decision) {
    try {
      await this.#send(decision);
      return "stored";
    } catch (error) {
      if (error.status === undefined) throw error;
      if (CLOSED.includes(error.status)) return "closed";
      return OVER[error.status] ?? "failing";
    }
  }

  #tryLater() {
    clearTimeout(this.#timer);
    this.#timer = this.#after(() => this.pump(), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
  }

  #keep(list) {
    this.#storage.setItem(KEY, JSON.stringify(list));
  }
}
