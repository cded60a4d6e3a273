/**
 * What a person presses on the page of choices, and what becomes of it. For each purpose the last press counts; one
 * request at a time, so that the server hears them in their order. A no that was not saved is tried again by itself; a
 * yes is not, for it counts only when the person sees that it does.
 */

const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 30_000;
const CLOSED = [401];
const REFUSED = [403, 404, 413, 422];

export class Answers {
  #send;
  #saved;
  #changed;
  #after;
  #waiting = new Map();

  /**
   * `send(answer)` resolves with what the server has now, or rejects with an ApiError; `saved(view, answer)` gets
   * that; `changed()` runs after every change; `after(act, milliseconds)` is as `setTimeout`.
   */
  constructor({ send, saved, changed, after = (act, pause) => setTimeout(act, pause) }) {
    this.#send = send;
    this.#saved = saved;
    this.#changed = changed;
    this.#after = after;
  }

  /** The answer that is not saved: `{purpose, given, state}`, `state` sending, failing, refused or closed; or null. */
  of(purpose) {
    const waiting = this.#waiting.get(purpose);
    return waiting ? { ...waiting.answer, state: waiting.state } : null;
  }

  /** Whether a no is not saved that could still be. */
  get unsaved() {
    return [...this.#waiting.values()].some(({ answer, state }) => !answer.given && ["sending", "failing"].includes(state));
  }

  /** Take an answer, and send it. */
  say(answer) {
    const before = this.#waiting.get(answer.purpose);
    this.#waiting.set(answer.purpose, { answer, state: "sending", pause: FIRST_PAUSE, busy: before?.busy ?? false });
    this.#changed();
    return this.#pump(answer.purpose);
  }

  /** Try every no again now. */
  retry() {
    return Promise.all([...this.#waiting].map(([purpose, { answer, state }]) => state === "failing" && !answer.given && this.#pump(purpose)));
  }

  async #pump(purpose) {
    if (this.#waiting.get(purpose)?.busy) return;
    for (let now = this.#waiting.get(purpose); now; now = this.#next(purpose, now)) {
      now.busy = true;
      await this.#try(purpose, now);
    }
  }

  /** The answer that was given while this one was under way, if any. */
  #next(purpose, done) {
    const now = this.#waiting.get(purpose);
    if (now) now.busy = false;
    return now === done ? null : now;
  }

  async #try(purpose, waiting) {
    try {
      const view = await this.#send(waiting.answer);
      if (this.#waiting.get(purpose) === waiting) this.#waiting.delete(purpose);
      this.#saved(view, waiting.answer);
    } catch (error) {
      if (error.status === undefined) throw error;
      this.#failed(purpose, waiting, error.status);
    }
    this.#changed();
  }

  #failed(purpose, waiting, status) {
    if (CLOSED.includes(status)) waiting.state = "closed";
    else waiting.state = REFUSED.includes(status) ? "refused" : "failing";
    if (waiting.state !== "failing" || waiting.answer.given) return;
    this.#after(() => this.#waiting.get(purpose) === waiting && this.#pump(purpose), waiting.pause);
    waiting.pause = Math.min(LONGEST_PAUSE, waiting.pause * 2);
  }
}
