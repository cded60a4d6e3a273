/**
 * A socket that stays: ticket, hello, messages, ping, and again with growing pauses when it breaks.
 * Knows nothing of lessons; the clock and the WebSocket class can be handed in, so that a test needs no network.
 */

/** Close codes of the protocol that end a page's attempts, by the word the page shows. */
export const FINAL = { 4002: "replaced", 4004: "room_closed" };

const REFUSED = 4001;
const BUSY = 4007;
/** So many tickets refused one after the other: a fresh one will not help either. */
const MOST_REFUSED = 4;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const STEADY = 5_000;
/** A connection that is in doubt must give a word within so many milliseconds. */
const DOUBT = 4_000;

/** Milliseconds before the attempt with this number (from 1): doubling, at most 15 s, `luck` in 0..1 spreads them. */
export function pauseBefore(attempt, luck) {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
  return Math.round(pause * (0.75 + luck / 2));
}

export class LastingSocket {
  #options;
  #socket = null;
  #attempt = 0;
  #refused = 0;
  #stopped = true;
  #open = false;
  #timers = {};

  /**
   * @param options.url        address of the socket
   * @param options.protocol   subprotocol, or undefined
   * @param options.ticket     async () => ticket
   * @param options.hello      (ticket) => first message
   * @param options.onMessage  (message) => void
   * @param options.onState    ({state, reason?, attempt?, pause?}) => void; states: connecting, open, lost, ended
   * @param options.pingEvery  milliseconds between pings; 0: the server talks by itself
   * @param options.silence    milliseconds without a word after which the connection counts as dead
   */
  constructor(options) {
    this.#options = {
      pingEvery: 10_000,
      silence: 25_000,
      WebSocket: globalThis.WebSocket,
      setTimeout: (...args) => globalThis.setTimeout(...args),
      clearTimeout: (timer) => globalThis.clearTimeout(timer),
      random: Math.random,
      ...options,
    };
  }

  get open() {
    return this.#open;
  }

  start() {
    this.#stopped = false;
    this.#attempt = 0;
    this.#tell({ state: "connecting" });
    return this.#connect();
  }

  /** End for good; `last` is said before the socket closes. */
  stop(last = null) {
    this.#stopped = true;
    if (last) this.send(last);
    this.#letGo(1000);
  }

  /** Send now, or answer false: what must not be lost is the caller's to keep. */
  send(message) {
    if (!this.#open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Try at once instead of after the pause: the network came back, or the person asked. */
  nudge() {
    if (this.#stopped || this.#socket || !this.#timers.again) return;
    this.#cancel("again");
    this.#connect();
  }

  /** The browser says that the network went or came: ask for a word now, instead of after the usual silence. */
  doubt() {
    if (!this.#socket) return;
    if (this.#options.pingEvery) this.send({ type: "ping" });
    this.#after("silence", DOUBT, () => this.#closed(1006));
  }

  async #connect() {
    this.#attempt += 1;
    let ticket;
    try {
      ticket = await this.#options.ticket();
    } catch (error) {
      if (error.final) return this.#end(error.code);
      return this.#again(error.code ?? "unreachable");
    }
    if (this.#stopped) return undefined;
    this.#listen(new this.#options.WebSocket(this.#options.url, this.#options.protocol), ticket);
    return undefined;
  }

  #listen(socket, ticket) {
    this.#socket = socket;
    const mine = (handler) => (event) => this.#socket === socket && handler(event);
    socket.onopen = mine(() => {
      socket.send(JSON.stringify(this.#options.hello(ticket)));
      this.#heard();
    });
    socket.onmessage = mine(({ data }) => this.#message(JSON.parse(data)));
    socket.onclose = mine(({ code }) => this.#closed(code));
    this.#heard();
  }

  #message(message) {
    this.#heard();
    if (!this.#open) {
      this.#open = true;
      this.#refused = 0;
      this.#after("steady", STEADY, () => (this.#attempt = 0));
      this.#ping();
      this.#tell({ state: "open" });
    }
    if (message.type !== "pong") this.#options.onMessage(message);
  }

  #heard() {
    this.#after("silence", this.#options.silence, () => this.#closed(1006));
  }

  #ping() {
    if (!this.#options.pingEvery) return;
    this.#after("ping", this.#options.pingEvery, () => {
      this.send({ type: "ping" });
      this.#ping();
    });
  }

  #closed(code) {
    this.#letGo();
    if (this.#stopped) return;
    this.#refused = code === REFUSED ? this.#refused + 1 : 0;
    if (code in FINAL) this.#end(FINAL[code]);
    else if (this.#refused >= MOST_REFUSED) this.#end("ticket_refused");
    else this.#again(code === BUSY ? "busy" : "unreachable");
  }

  #again(reason) {
    if (this.#stopped) return;
    const pause = pauseBefore(this.#attempt || 1, this.#options.random());
    this.#tell({ state: "lost", reason, attempt: this.#attempt, pause });
    this.#after("again", pause, () => {
      this.#cancel("again");
      this.#connect();
    });
  }

  #end(reason) {
    this.#stopped = true;
    this.#letGo();
    this.#tell({ state: "ended", reason });
  }

  #letGo(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    for (const name of Object.keys(this.#timers)) this.#cancel(name);
    if (socket) socket.close(code);
  }

  #after(name, milliseconds, act) {
    this.#cancel(name);
    this.#timers[name] = this.#options.setTimeout(act, milliseconds);
  }

  #cancel(name) {
    if (!(name in this.#timers)) return;
    this.#options.clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }

  #tell(state) {
    this.#options.onState(state);
  }
}
