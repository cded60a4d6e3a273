/** Lists of cameras and microphones, wherever a page offers the choice, and the words for a device's trouble. */

import { el, show } from "./dom.js";
import { has, onLanguage, t } from "./i18n.js";

/** Keep every `select[data-device]` in step with the devices that there are. */
export function deviceChoices(media) {
  const selects = [...document.querySelectorAll("select[data-device]")];
  const fill = () => selects.forEach((select) => fillOne(media, select));
  for (const select of selects) {
    select.addEventListener("change", () => media.choose(select.dataset.device, select.value));
  }
  media.addEventListener("devices", fill);
  media.addEventListener("change", fill);
  onLanguage(fill);
  fill();
}

function fillOne(media, select) {
  const kind = select.dataset.device;
  const devices = media.devices[kind];
  select.replaceChildren(
    ...devices.map((device, index) =>
      el("option", { value: device.deviceId }, device.label || t(`device.${kind}.number`, { number: index + 1 })),
    ),
  );
  if (!devices.length) select.append(el("option", { value: "" }, absenceOf(media, kind)));
  select.disabled = devices.length < 2;
  select.value = media.chosen(kind) || devices[0]?.deviceId || "";
}

/** Why a list is empty: a browser names no device before it may use one, so that is not always because there is none. */
function absenceOf(media, kind) {
  if (media[kind] === "opening") return t(`device.${kind}.opening`);
  return t(["denied", "insecure"].includes(media[kind]) ? "device.not_allowed" : `device.${kind}.none`);
}

/** Why a device does not work, in words; null when it works or was switched off by hand. */
export function troubleOf(media, kind) {
  const key = `device.${kind}.${media[kind]}`;
  return has(key) ? t(key) : null;
}

/** Draw a button that switches one device: pressed means that the device is on. */
export function deviceButton(button, media, kind, draw) {
  const paint = () => {
    const on = media[kind] === "on";
    const lit = on || media[kind] === "opening";
    draw(button, lit ? kindIcon(kind) : `${kindIcon(kind)}-off`);
    const label = t(`device.${kind}.switch_${on ? "off" : "on"}`);
    button.setAttribute("aria-label", label);
    button.title = label;
    button.dataset.on = String(lit);
  };
  button.addEventListener("click", () => media.turn(kind, media[kind] !== "on"));
  media.addEventListener("change", paint);
  onLanguage(paint);
  paint();
}

const kindIcon = (kind) => (kind === "camera" ? "camera" : "mic");

/** Let a video element show the camera's track, or hide it while there is none. */
export function showCamera(video, media) {
  let shown = null;
  const paint = () => {
    const track = media.tracks.camera;
    if (track !== shown) video.srcObject = track && new MediaStream([track]);
    shown = track;
    show(video, Boolean(track));
  };
  media.addEventListener("change", paint);
  paint();
}
