/**
 * The person's own camera and microphone: opened once, handed to the call and the analyser, switched, exchanged.
 * A camera that is off is released, so that its light goes out; a microphone that is off stays open but silent.
 */

const MEMORY = { camera: "lessonroom.camera", microphone: "lessonroom.microphone" };
const KINDS = { camera: "video", microphone: "audio" };
const TROUBLE = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** States of a device: on, off, opening, denied, missing, busy, insecure, failed. */
export class Media extends EventTarget {
  camera = "off";
  microphone = "off";
  tracks = { camera: null, microphone: null };
  devices = { camera: [], microphone: [] };

  /** Ask for both at once; when that fails, for each alone, so that one missing device does not take the other. */
  async open() {
    if (!navigator.mediaDevices) return this.#set({ camera: "insecure", microphone: "insecure" });
    this.#set({ camera: "opening", microphone: "opening" });
    try {
      this.#take(await navigator.mediaDevices.getUserMedia({ video: wish("camera"), audio: wish("microphone") }));
    } catch {
      await Promise.all([this.#openOne("camera"), this.#openOne("microphone")]);
    }
    navigator.mediaDevices.addEventListener("devicechange", () => this.#list());
    return this.#list();
  }

  async #openOne(kind) {
    this.#set({ [kind]: "opening" });
    try {
      this.#take(await navigator.mediaDevices.getUserMedia({ [KINDS[kind]]: wish(kind) }));
    } catch (error) {
      this.#set({ [kind]: TROUBLE[error.name] ?? "failed" });
    }
  }

  #take(stream) {
    for (const track of stream.getTracks()) {
      const kind = track.kind === "video" ? "camera" : "microphone";
      this.tracks[kind]?.stop();
      this.tracks[kind] = track;
      track.addEventListener("ended", () => this.tracks[kind] === track && this.#lose(kind));
      this.#set({ [kind]: "on" });
    }
  }

  /** A device was pulled out, or the system took it away. */
  #lose(kind) {
    this.tracks[kind] = null;
    this.#set({ [kind]: "missing" });
    this.#list();
  }

  async #list() {
    const all = await navigator.mediaDevices.enumerateDevices();
    for (const kind of ["camera", "microphone"]) {
      this.devices[kind] = all.filter((device) => device.kind === `${KINDS[kind]}input` && device.deviceId);
    }
    this.dispatchEvent(new Event("devices"));
  }

  /** Switch the camera or the microphone on or off. */
  async turn(kind, on) {
    if (this[kind] === "opening") return undefined;
    if (on && !this.tracks[kind]) return this.#openOne(kind);
    const track = this.tracks[kind];
    if (!track) return undefined;
    if (kind === "microphone") {
      track.enabled = on;
    } else if (!on) {
      this.tracks.camera = null;
      track.stop();
    }
    return this.#set({ [kind]: on ? "on" : "off" });
  }

  /** Use another device from now on, here and at the next lesson. */
  async choose(kind, deviceId) {
    localStorage.setItem(MEMORY[kind], deviceId);
    // some systems open one camera only: let go of the old one first
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
    await this.#openOne(kind);
  }

  /** The id of the device in use. */
  chosen(kind) {
    return this.tracks[kind]?.getSettings().deviceId ?? "";
  }

  /** Let go of everything. */
  close() {
    for (const kind of ["camera", "microphone"]) {
      this.tracks[kind]?.stop();
      this.tracks[kind] = null;
    }
    this.#set({ camera: "off", microphone: "off" });
  }

  #set(states) {
    Object.assign(this, states);
    this.dispatchEvent(new Event("change"));
  }
}

function wish(kind) {
  const deviceId = localStorage.getItem(MEMORY[kind]) ?? undefined;
  const device = deviceId ? { deviceId: { ideal: deviceId } } : {};
  if (kind === "microphone") return { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return { ...device, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 } };
}

/** Measure the loudness of a track until `signal` aborts: `heard(level)` with 0 to 1, at most once a frame. */
export function measure(track, heard, signal) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const wave = new Float32Array(analyser.fftSize);
  let level = 0;
  const look = () => {
    if (signal.aborted) return;
    analyser.getFloatTimeDomainData(wave);
    level = Math.max(loudness(wave), level * 0.9);
    heard(level);
    requestAnimationFrame(look);
  };
  signal.addEventListener("abort", () => context.close());
  look();
}

/** Root mean square of a wave on a scale on which ordinary speech fills half: -60 dB is 0, 0 dB is 1. */
export function loudness(wave) {
  const power = wave.reduce((sum, value) => sum + value * value, 0) / wave.length;
  return Math.min(1, Math.max(0, 1 + Math.log10(Math.max(power, 1e-12)) / 6));
}
