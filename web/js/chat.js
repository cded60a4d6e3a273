/** The list of messages. What is typed and what was stopped is in composer.js. */

import { byId, el, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { clock, has, onLanguage, t } from "./i18n.js";
import * as talk from "./talk.js";

const NEAR = 80;
/** Refusals after which the same message would be refused again. */
const HOPELESS = ["too_long", "not_allowed", "violator"];
const SIGNS = { sending: "clock", held: "person", appealed: "person", refused: "info", blocked: "info", relayed: "check" };

export class Chat {
  #store;
  #actions;
  #frame = byId("messages");
  #list = byId("message-list");
  #drawn = new Map();

  /** `actions`: retry(id), edit(id), remove(id) for messages that were not sent. */
  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
    store.subscribe((state, before) => {
      const changed = state.messages !== before.messages || state.members !== before.members;
      if (changed || away(state) !== away(before)) this.#draw();
      if (unreadOf(state) !== unreadOf(before)) this.#count();
    });
    onLanguage(() => this.#redraw());
    this.#frame.addEventListener("scroll", () => this.#scrolled());
    byId("newest").addEventListener("click", () => this.#toEnd());
    this.#redraw();
  }

  #redraw() {
    this.#drawn.clear();
    this.#list.replaceChildren();
    this.#draw();
    this.#count();
  }

  #draw() {
    const state = this.#store.state;
    const messages = talk.listed(state.messages);
    const atEnd = this.#atEnd();
    const last = messages.at(-1);
    const lastIsNew = last && !this.#drawn.has(last.id);
    show(byId("chat-empty"), messages.length === 0);
    this.#reconcile(messages, state);
    if (atEnd || (lastIsNew && last.sender === state.me)) this.#toEnd();
    else if (lastIsNew) show(byId("newest"), true);
  }

  #reconcile(messages, state) {
    const wanted = new Map();
    let place = this.#list.firstElementChild;
    messages.forEach((message, index) => {
      const first = messages[index - 1]?.sender !== message.sender;
      const known = this.#drawn.get(message.id);
      const name = nameOf(state, message);
      const waits = message.state === "sending" && away(state);
      const same = known?.message === message && known.first === first && known.name === name && known.waits === waits;
      const node = same ? known.node : this.#row(message, first, state);
      if (node === place) place = place.nextElementSibling;
      else if (known && !same && known.node === place) place = replace(place, node);
      else this.#list.insertBefore(node, place);
      wanted.set(message.id, { message, first, node, name, waits });
    });
    for (const [id, { node }] of this.#drawn) if (wanted.get(id)?.node !== node) node.remove();
    this.#drawn = wanted;
  }

  #row(message, first, state) {
    const own = message.sender === state.me;
    const name = own ? t("chat.you") : nameOf(state, message);
    return el(
      "li",
      {
        class: "message", "data-own": String(own), "data-state": message.state, "data-first": String(first),
        "data-id": message.id, testid: "message",
      },
      el("p", { class: first && !own ? "message-from" : "only-read" }, name),
      el("div", { class: "bubble", dir: "auto" }, el("p", { class: "message-text", testid: "message-text" }, message.text),
        el("time", { class: "message-time", datetime: new Date(message.at).toISOString() }, clock(message.at))),
      own ? this.#status(message, away(state)) : null,
    );
  }

  #status(message, offline) {
    if (message.state === "relayed" && !message.decided) return null;
    return el("div", { class: "message-status", testid: "message-status" },
      el("span", { class: "status-line" }, icon(SIGNS[message.state]), el("span", {}, wordsOf(message, offline))),
      ["refused", "blocked"].includes(message.state) ? this.#ways(message) : null);
  }

  #ways({ id, state, code }) {
    const way = (name) => el("button", {
      class: "link", type: "button", testid: `message-${name}`, onclick: () => this.#actions[name](id),
    }, t(`chat.${name}`));
    const again = state === "blocked" || HOPELESS.includes(code) ? [] : [way("retry")];
    return el("span", { class: "status-ways" }, ...again, way("edit"), way("remove"));
  }

  #count() {
    const count = unreadOf(this.#store.state);
    const badge = byId("chat-count");
    show(badge, count > 0);
    write(badge, count > 99 ? "99+" : String(count));
    const label = count ? t("chat.button.unread", { count }) : t("chat.button");
    byId("chat-button").setAttribute("aria-label", label);
    byId("chat-button").title = label;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#frame;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #scrolled() {
    if (this.#atEnd()) show(byId("newest"), false);
  }

  #toEnd() {
    this.#frame.scrollTop = this.#frame.scrollHeight;
    show(byId("newest"), false);
  }
}

const away = (state) => state.connection.state === "lost";

function unreadOf(state) {
  return talk.unread(state.messages, state.me, state.readUpTo);
}

function nameOf(state, message) {
  return state.members.find((member) => member.id === message.sender)?.name ?? t("chat.somebody");
}

function replace(old, node) {
  old.replaceWith(node);
  return node.nextElementSibling;
}

/** What became of one's own message, in words. */
function wordsOf({ state, code, decided }, offline) {
  if (state === "refused") return refusal(code);
  if (state === "blocked") return `${t("chat.decided.blocked")} ${t("stopped.rule")}`;
  if (decided) return t(`chat.decided.${state}`);
  return t(`chat.${state === "sending" && offline ? "waiting" : state}`);
}

function refusal(code) {
  const key = `chat.refused.${code}`;
  return t(has(key) ? key : "chat.refused.other");
}
