/** Before the lesson: how one looks and sounds, and the choice of devices. */

import { deviceButton, showCamera, troubleOf } from "./devices.js";
import { byId, setIcon, show, write } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { measure } from "./media.js";
import { enter } from "./views.js";

/** Show the check and resolve when the person wants in. */
export function prejoin({ media, session }) {
  enter("prejoin");
  const over = new AbortController();
  const paint = () => drawTrouble(media, session);
  showCamera(byId("prejoin-video"), media);
  deviceButton(byId("prejoin-camera"), media, "camera", setIcon);
  deviceButton(byId("prejoin-microphone"), media, "microphone", setIcon);
  media.addEventListener("change", paint);
  onLanguage(paint);
  paint();
  listen(media, over.signal);
  return new Promise((resolve) => {
    byId("join").onclick = () => {
      over.abort();
      resolve();
    };
  });
}

function drawTrouble(media, session) {
  write(byId("prejoin-title"), t("prejoin.title", { name: session.name }));
  write(byId("prejoin-initial"), initialOf(session.name));
  show(byId("prejoin-none"), media.camera !== "on");
  write(byId("prejoin-trouble"), troubleOf(media, "camera") ?? t("prejoin.camera.off"));
  const microphone = troubleOf(media, "microphone");
  write(byId("prejoin-level-text"), microphone ?? t(media.microphone === "on" ? "prejoin.level.hint" : "prejoin.level.off"));
  const nothing = media.camera !== "on" && media.microphone !== "on";
  write(byId("join-note"), nothing ? t("prejoin.nothing") : "");
}

/** The first letter of a name, for the circle that stands in for a picture. */
export function initialOf(name) {
  return ([...(name ?? "").trim()][0] ?? "·").toLocaleUpperCase();
}

function listen(media, signal) {
  let track = null;
  let listening = null;
  const meter = byId("prejoin-level");
  const bar = meter.firstElementChild;
  const heard = (level) => {
    bar.style.transform = `scaleX(${media.microphone === "on" ? level.toFixed(3) : 0})`;
    meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  };
  const follow = () => {
    if (media.tracks.microphone === track) return;
    listening?.abort();
    track = media.tracks.microphone;
    if (!track) return heard(0);
    listening = new AbortController();
    return measure(track, heard, AbortSignal.any([signal, listening.signal]));
  };
  media.addEventListener("change", follow, { signal });
  follow();
}
