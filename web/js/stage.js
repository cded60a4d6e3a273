/** The big picture: the other person, or words on why there is none; one's own small picture; the banner. */

import { showCamera } from "./devices.js";
import { byId, setIcon, show, write } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { shortened } from "./names.js";
import { initialOf } from "./prejoin.js";
import { other } from "./state.js";

const BACK_FOR = 3_000;

export class Stage {
  #store;
  #call;
  #back = null;
  #met = false;

  /** `retry` runs when the person does not want to wait for the next attempt. */
  constructor({ store, call, media, retry }) {
    this.#store = store;
    this.#call = call;
    showCamera(byId("own"), media);
    const own = () => show(byId("own-none"), !media.tracks.camera);
    media.addEventListener("change", own);
    own();
    byId("banner-action").addEventListener("click", retry);
    byId("unmute").addEventListener("click", () => this.#play());
    call.addEventListener("change", () => this.#draw());
    for (const event of ["loadeddata", "resize", "emptied"]) byId("remote").addEventListener(event, () => this.#draw());
    store.subscribe((state, before) => {
      if (state.members !== before.members || state.welcomed !== before.welcomed) this.#draw();
      if (state.connection !== before.connection) this.#drawBanner(state.connection, before.connection);
    });
    onLanguage(() => {
      this.#draw();
      this.#drawBanner(this.#store.state.connection, this.#store.state.connection);
    });
    this.#draw();
  }

  #draw() {
    const { state } = this.#store;
    const call = this.#call;
    const person = other(state);
    this.#met ||= Boolean(person?.present);
    const name = person?.name || t(`role.${state.role === "teacher" ? "student" : "teacher"}`);
    write(byId("title"), person?.name ? t("title", { name }) : t("title.plain"));
    document.title = `${byId("title").textContent} · Lessonroom`;
    this.#attach(call.remote);
    const seen = call.state === "connected" && call.peer.camera && byId("remote").videoWidth > 0;
    byId("stage").dataset.call = call.state;
    byId("stage").dataset.picture = String(seen);
    byId("remote").dataset.seen = String(seen || call.state === "weak");
    show(byId("remote-none"), !seen);
    byId("remote-none").dataset.over = String(call.state === "weak");
    write(byId("remote-initial"), initialOf(person?.name));
    write(byId("remote-text"), t(`stage.${situation(call, person, this.#met)}`, { name: shortened(name) }));
    show(byId("remote-muted"), call.state === "connected" && !call.peer.microphone);
    byId("remote").setAttribute("aria-label", t("stage.remote", { name }));
  }

  #attach(stream) {
    const video = byId("remote");
    if (video.srcObject !== stream) video.srcObject = stream;
    if (stream.getTracks().length && video.paused) this.#play();
  }

  async #play() {
    try {
      await byId("remote").play();
      show(byId("unmute"), false);
    } catch (error) {
      // a browser that wants a press before it makes a sound; a play that a newer stream interrupted is no trouble
      show(byId("unmute"), error.name === "NotAllowedError");
    }
  }

  #drawBanner(now, before) {
    clearTimeout(this.#back);
    const lost = now.state === "lost";
    const back = now.state === "open" && before.state === "lost";
    show(byId("banner"), lost || back);
    byId("banner").dataset.state = now.state;
    show(byId("banner-action"), lost && now.attempt > 2);
    setIcon(byId("banner-icon"), back ? "check" : "refresh");
    if (back) {
      write(byId("banner-text"), t("banner.back"));
      this.#back = setTimeout(() => show(byId("banner"), false), BACK_FOR);
    } else if (lost) {
      write(byId("banner-text"), t(bannerKey(now)));
    }
  }
}

function bannerKey({ reason, attempt }) {
  if (reason === "busy") return "banner.busy";
  return attempt > 2 ? "banner.long" : "banner.lost";
}

/** `met`: the other person has been here before. */
function situation(call, person, met) {
  if (call.state === "weak") return "weak";
  if (call.state === "connected") return call.peer.camera ? "starting" : "camera_off";
  if (!person) return "nobody";
  if (person.present) return "connecting";
  return met ? "away" : "waiting";
}
