/**
 * The lesson's page: session, check, socket, consent, room. This module puts the others together; each of them
 * knows the store and what it was handed, and none knows another.
 */

import { admitted } from "./admission.js";
import { AnalyserFeed } from "./analyser.js";
import { ticketFor } from "./api.js";
import { Call } from "./call.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { askConsent } from "./consent.js";
import { deviceButton, deviceChoices } from "./devices.js";
import { anchorPopovers, announce, byId, drawIcons, setIcon, show, write } from "./dom.js";
import { fold } from "./fold.js";
import { Hints } from "./hints.js";
import { languageSwitches, speakFirst, speech, t } from "./i18n.js";
import { choicesFrom, leadToChoices } from "./links.js";
import { Indicator } from "./indicator.js";
import { Media } from "./media.js";
import { Outbox } from "./outbox.js";
import { people } from "./people.js";
import { newId, socketAddress } from "./place.js";
import { prejoin } from "./prejoin.js";
import { LastingSocket } from "./socket.js";
import { Stage } from "./stage.js";
import { mayFeed, mustAsk, mustMove, other, Store } from "./state.js";
import { stuck } from "./stuck.js";
import { sendable } from "./talk.js";
import { toasts } from "./toast.js";
import { door, enter } from "./views.js";

const PROTOCOL = "lessonroom.v1";

class Lesson {
  constructor(session, outbox) {
    this.session = session;
    this.outbox = outbox;
    this.store = new Store();
    this.media = new Media();
    this.feed = new AnalyserFeed({ member: session.member });
    this.page = newId();
    this.call = new Call({ media: this.media, send: (signal) => this.socket.send(signal), polite: session.role === "student" });
    this.socket = new LastingSocket({
      url: socketAddress("ws/room"),
      protocol: PROTOCOL,
      ticket: () => ticketFor(session.member, "socket"),
      hello: (ticket) => ({ type: "hello", ticket, page: this.page, after: this.store.state.lastSeq }),
      onMessage: (message) => this.heard(message),
      onState: (connection) => this.connection(connection),
    });
    this.store.dispatch({
      type: "page.session", session, readUpTo: outbox.readUpTo, dismissed: outbox.dismissed, outbox: outbox.messages,
    });
  }

  /** Everything that is seen in the room. */
  draw() {
    const { store, media, call } = this;
    deviceChoices(media);
    media.addEventListener("change", () => this.devicesChanged());
    new Stage({ store, call, media, retry: () => this.socket.nudge() });
    new Indicator(store, { consent: (agreed) => this.consent(agreed) });
    leadToChoices(this.session.member);
    people(store);
    fold(store, () => this.read());
    toasts(store, () => store.dispatch({ type: "page.problem.over" }));
    deviceButton(byId("camera"), media, "camera", setIcon);
    deviceButton(byId("microphone"), media, "microphone", setIcon);
    byId("devices-button").addEventListener("click", () => byId("devices").showModal());
    byId("devices-close").addEventListener("click", () => byId("devices").close());
    byId("leave").addEventListener("click", () => this.leave());
    this.drawChat();
    if (this.session.role === "teacher") this.drawTeacher();
    if (this.session.role === "student") this.drawStudent();
  }

  drawChat() {
    const { store, outbox } = this;
    const composer = new Composer(store, outbox, {
      send: (text) => this.say(text),
      appeal: (id) => this.socket.send({ type: "chat.appeal", id }) || store.dispatch({ type: "problem", code: "offline" }),
      remove: (id) => this.putAway(id),
    });
    new Chat(store, {
      retry: (id) => this.again(id),
      remove: (id) => this.putAway(id),
      edit: (id) => {
        const { text } = store.state.messages.find((message) => message.id === id);
        this.putAway(id);
        composer.takeBack(text);
      },
    });
  }

  drawTeacher() {
    const { store } = this;
    show(byId("tray-teacher"), true);
    new Hints(store, {
      answer: (id, helpful) => {
        store.dispatch({ type: "page.hint.answered", id, helpful });
        this.socket.send({ type: "hint.feedback", hint: id, helpful });
      },
      shelve: (id) => store.dispatch({ type: "page.hint.shelved", id }),
      turn: (on) => {
        store.dispatch({ type: "page.hints", on });
        this.socket.send({ type: "hints", on });
      },
    });
  }

  drawStudent() {
    const { store } = this;
    show(byId("tray-student"), true);
    show(byId("chat-stuck"), true);
    stuck(store, {
      press: () => {
        const id = newId();
        store.dispatch({ type: "page.stuck", id });
        this.socket.send({ type: "stuck", id });
      },
      over: (id) => store.dispatch({ type: "page.stuck.over", id }),
    });
    store.subscribe((state, before) => {
      this.feedAnalyser();
      if (mustMove(state, before)) this.feed.moved();
    });
    choicesFrom(this.session.member, (agreed) => this.choseElsewhere(agreed));
  }

  // --- what the server says ------------------------------------------------------------------------------------------

  connection(connection) {
    const before = this.store.state.connection.state;
    this.store.dispatch({ type: "page.connection", connection });
    if (connection.state === "lost" && before !== "lost") this.lost();
    if (connection.state === "ended") this.ended(connection.reason);
  }

  /** The room's own banner tells of a loss; before the first welcome there is no room yet to show it in. */
  lost() {
    if (this.store.state.welcomed) announce(t("banner.lost"));
    else if (document.body.dataset.view === "prejoin") write(byId("join-note"), t("prejoin.lost"));
    else door("unreachable", () => location.reload());
  }

  heard(message) {
    if (message.type === "signal") {
      this.call.signal(message);
      return;
    }
    const welcomedBefore = this.store.state.welcomed;
    this.store.dispatch(message);
    if (message.type === "welcome" || message.type === "members") this.meet();
    if (message.type === "welcome") this.welcomed(welcomedBefore);
    if (message.type === "chat.ack" || message.type === "chat.message") this.outbox.settle(message.id);
  }

  /** Say again what the server may have missed. */
  welcomed(again) {
    const { state } = this.store;
    if (state.role === "student") this.socket.send({ type: "camera", on: state.camera === "on" });
    if (again && state.unheard) this.socket.send(this.answer);
    if (state.stuck?.state === "sending") this.socket.send({ type: "stuck", id: state.stuck.id });
    for (const { id, text } of this.outbox.messages) this.socket.send({ type: "chat.send", id, text });
    if (again) this.call.resume();
    else this.entered();
  }

  /** The first welcome: ask for consent where it is to be asked, then the lesson. */
  async entered() {
    const said = mustAsk(this.store.state) ? await askConsent(this.store) : null;
    if (said !== null) this.consent(said);
    if (this.left) return;
    this.inside = true;
    enter("room");
    this.meet();
  }

  meet() {
    if (this.inside) this.call.meet(other(this.store.state), this.store.state.ice);
  }

  ended(reason) {
    this.close();
    if (reason === "replaced") door("replaced", () => location.reload());
    else if (reason === "room_closed") door("ended");
    else door("used");
  }

  // --- what the person does -----------------------------------------------------------------------------------------

  say(typed) {
    const text = sendable(typed);
    if (!text) return;
    const message = { id: newId(), text, at: Date.now() };
    this.outbox.keep(message);
    this.store.dispatch({ type: "page.chat.sent", ...message });
    this.socket.send({ type: "chat.send", id: message.id, text });
  }

  again(id) {
    const { text } = this.store.state.messages.find((message) => message.id === id);
    this.store.dispatch({ type: "page.chat.retried", id });
    this.socket.send({ type: "chat.send", id, text });
  }

  putAway(id) {
    this.outbox.settle(id);
    this.outbox.dismiss(id);
    this.store.dispatch({ type: "page.chat.removed", id });
  }

  read() {
    this.store.dispatch({ type: "page.chat.read" });
    this.outbox.readUpTo = this.store.state.readUpTo;
  }

  consent(agreed) {
    this.answer = { type: "consent", agreed, text: t("consent.version"), lang: speech.language };
    this.store.dispatch({ type: "page.consent", agreed });
    this.socket.send(this.answer);
    if (!agreed) announce(t("consent.stopped"));
  }

  /** Said on the page of choices in this browser: a no is said here, too, so that it counts at once. */
  choseElsewhere(agreed) {
    if (agreed) this.store.dispatch({ type: "page.consent.elsewhere", agreed });
    else if (this.store.state.consent) this.consent(false);
  }

  devicesChanged() {
    const { camera, microphone } = this.media;
    const before = this.store.state.camera;
    this.store.dispatch({ type: "page.media", camera, microphone });
    const changed = (camera === "on") !== (before === "on");
    if (changed && this.session.role === "student") this.socket.send({ type: "camera", on: camera === "on" });
    this.feedAnalyser();
  }

  feedAnalyser() {
    const { state } = this.store;
    this.feed.want(mayFeed(state) ? this.media.tracks.camera : null, this.session.room, state.ice);
  }

  leave() {
    this.socket.stop({ type: "leave" });
    this.close();
    door("left", () => location.reload());
  }

  close() {
    this.left = true;
    this.outbox.joined = false;
    this.feed.close();
    this.call.close();
    this.media.close();
  }
}

async function main() {
  await speakFirst();
  languageSwitches();
  drawIcons();
  anchorPopovers();
  if (!globalThis.RTCPeerConnection || !globalThis.WebSocket) return door("unsupported");
  const session = await admitted();
  if (!session) return undefined;
  if (session.role === "observer") return door("gone");
  const lesson = new Lesson(session, new Outbox(sessionStorage, session.member));
  lesson.draw();
  const opening = lesson.media.open();
  if (lesson.outbox.joined) await opening;
  else await prejoin({ media: lesson.media, session });
  byId("join").disabled = true;
  write(byId("join-note"), t("prejoin.joining"));
  lesson.outbox.joined = true;
  addEventListener("pagehide", () => lesson.feed.close());
  for (const event of ["online", "focus"]) addEventListener(event, () => lesson.socket.nudge());
  for (const event of ["online", "offline"]) addEventListener(event, () => lesson.socket.doubt());
  return lesson.socket.start();
}

main();
