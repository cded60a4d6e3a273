/**
 * The whole page as one value and one pure function: `reduce(state, event) -> state`. Events are the server's messages
 * as they are (lessonroom/messages.py) and the page's own, whose types begin with `page.`.
 */

import * as agreed from "./agreed.js";
import * as talk from "./talk.js";

/** How long a hint stays on the card, in milliseconds. */
export const HINT_STAYS = 30_000;

export const initial = Object.freeze({
  session: null,
  connection: { state: "connecting" },
  welcomed: false,
  me: null,
  role: null,
  members: [],
  messages: [],
  lastSeq: 0,
  readUpTo: 0,
  dismissed: [],
  chatLength: 4000,
  analysis: { mode: "M0", state: "off", reason: "connecting" },
  consent: null,
  unheard: false,
  hintsOn: true,
  hints: [],
  stuck: null,
  ice: { servers: [], relayOnly: false },
  camera: "off",
  microphone: "off",
  problem: null,
});

/** While one of these stands in the way the student's picture goes nowhere. */
const FORBIDDING = new Set(["not_allowed", "on_device_only", "not_agreed", "guardian_missing", "hints_off"]);

const shelvedAt = (hint, now) => hint.answered || now - hint.at >= HINT_STAYS;
const withHint = (hints, id, fields) => hints.map((hint) => (hint.id === id ? { ...hint, ...fields } : hint));
const later = (state, seq) => Math.max(state.lastSeq, seq);

const handlers = {
  "page.session": (state, { session, readUpTo, dismissed, outbox }) => ({
    ...state,
    session,
    me: session.member,
    role: session.role,
    readUpTo,
    dismissed,
    messages: outbox.reduce(
      (messages, message) => talk.sent(messages, { ...message, sender: session.member }),
      state.messages,
    ),
  }),
  "page.connection": (state, { connection }) => ({ ...state, connection }),
  "page.media": (state, { camera, microphone }) => ({ ...state, camera, microphone }),
  "page.chat.sent": (state, { id, text, at }) => ({
    ...state,
    messages: talk.sent(state.messages, { id, text, at, sender: state.me }),
  }),
  "page.chat.retried": (state, { id }) => ({ ...state, messages: talk.retried(state.messages, id) }),
  "page.chat.removed": (state, { id }) => ({
    ...state,
    messages: talk.removed(state.messages, id),
    dismissed: [...state.dismissed, id],
  }),
  "page.chat.read": (state) => ({ ...state, readUpTo: Math.max(state.readUpTo, state.lastSeq) }),
  "page.consent": (state, { agreed: given }) => ({ ...state, consent: given, unheard: true }),
  // said on the page of choices, and stored
  "page.consent.elsewhere": (state, { agreed: given }) => ({ ...state, consent: given, unheard: false }),
  "page.hints": (state, { on }) => ({ ...state, hintsOn: on }),
  "page.hint.answered": (state, { id, helpful }) => ({
    ...state,
    hints: withHint(state.hints, id, { answered: true, helpful }),
  }),
  "page.hint.shelved": (state, { id }) => ({ ...state, hints: withHint(state.hints, id, { shelved: true }) }),
  "page.stuck": (state, { id }) => ({ ...state, stuck: { id, state: "sending" } }),
  "page.stuck.over": (state, { id }) => (state.stuck?.id === id ? { ...state, stuck: null } : state),
  "page.problem.over": (state) => ({ ...state, problem: null }),

  welcome: (state, message) => ({
    ...state,
    welcomed: true,
    me: message.me,
    role: message.role,
    members: message.members,
    analysis: message.analysis,
    ...agreed.welcomed(state, message),
    hintsOn: message.hints_on,
    hints: message.hints.map((hint) => ({
      ...hint,
      shelved: state.hints.find((old) => old.id === hint.id)?.shelved ?? shelvedAt(hint, message.now),
    })),
    ice: { servers: message.ice_servers, relayOnly: message.ice_relay_only },
    chatLength: message.chat_length,
  }),
  members: (state, { members }) => ({ ...state, members }),
  analysis: (state, { mode, state: doing, reason = null }) => ({
    ...state,
    ...agreed.heard(state, { reason }),
    analysis: { mode, state: doing, reason },
  }),
  // said somewhere else; an answer of this page that is on its way is newer
  consent: (state, { agreed: given }) => {
    const underWay = state.unheard && given !== state.consent;
    return underWay ? state : { ...state, consent: given, unheard: false };
  },
  hints: (state, { on }) => ({ ...state, hintsOn: on }),
  hint: (state, { type, ...hint }) =>
    state.hints.some((old) => old.id === hint.id)
      ? state
      : { ...state, hints: [...shelveAll(state.hints), { ...hint, shelved: Boolean(hint.answered) }] },
  "chat.message": (state, message) => ({
    ...state,
    lastSeq: later(state, message.seq),
    messages: talk.arrived(state.messages, message, state.dismissed),
  }),
  // lastSeq stays: an acknowledgement may overtake a message of the other with a smaller number
  "chat.ack": (state, message) => ({ ...state, messages: talk.acknowledged(state.messages, message) }),
  "chat.refused": (state, message) => ({ ...state, messages: talk.refused(state.messages, message) }),
  "stuck.ack": (state, { id, delivered }) =>
    state.stuck?.id === id ? { ...state, stuck: { id, state: delivered ? "delivered" : "kept" } } : state,
  problem: (state, { code }) => ({
    ...state,
    problem: code,
    stuck: state.stuck?.state === "sending" ? { ...state.stuck, state: "failed" } : state.stuck,
    // a yes that could not be stored is no consent
    ...(code === "store_down" && state.unheard && state.consent ? { consent: false, unheard: false } : {}),
  }),
};

function shelveAll(hints) {
  return hints.map((hint) => (hint.shelved ? hint : { ...hint, shelved: true }));
}

/** The next state. An event that nobody knows changes nothing: a newer server may say more than this page reads. */
export function reduce(state, event) {
  const handler = handlers[event.type];
  return handler ? handler(state, event) : state;
}

/** The other person of the lesson, or null. */
export function other(state) {
  const wanted = state.role === "teacher" ? "student" : "teacher";
  return state.members.find((member) => member.role === wanted) ?? null;
}

/** The hint that is on the card now, or null. With hints switched off, "I'm stuck" still comes through. */
export function onCard({ hints, hintsOn }) {
  return hints.findLast((hint) => !hint.shelved && (hintsOn || hint.cue === "stuck_button")) ?? null;
}

/** Whether the student still has to be asked: nothing but the missing answer stands in the way of analysis. */
export function mustAsk(state) {
  return state.role === "student" && state.consent === null && state.analysis.reason === "not_agreed";
}

/** Whether this page should feed the analyser now. */
export function mayFeed(state) {
  const { mode, reason } = state.analysis;
  const open = state.connection.state === "open" && state.welcomed;
  return (
    open && state.role === "student" && mode === "M3" && state.consent === true && state.camera === "on" &&
    !FORBIDDING.has(reason)
  );
}

/** Whether the server has just said that the analyser is to be fed by a new session. */
export function mustMove(state, before) {
  return state.analysis.reason === "moving" && before.analysis.reason !== "moving";
}

/** A store: the state, and who wants to know of changes. */
export class Store {
  #state = initial;
  #listeners = new Set();

  get state() {
    return this.#state;
  }

  dispatch(event) {
    const before = this.#state;
    this.#state = reduce(before, event);
    if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state, before);
  }

  /** Call `listener(state, before)` after every change. */
  subscribe(listener) {
    this.#listeners.add(listener);
  }
}
