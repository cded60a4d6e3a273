/**
 * The lesson's own picture and sound, from page to page: perfect negotiation as in W3C WebRTC 1.0, section 10.7.
 * The student's page is the polite one. A connection belongs to one load of the other's page: when that page is
 * loaded anew, a new connection is made. The room's socket carries the signalling only; while it is away, the call
 * goes on.
 *
 * A connection that does not come about or breaks for good is made anew by one side, the impolite one; the other
 * follows when it sees an offer of a connection that it does not know, by the session id of the description
 * (RFC 8829 section 5.2.1: constant for one connection).
 *
 * For the same reason the impolite side makes the first offer. Two first offers at once are within the rules, but a
 * Chromium that rolls back the very first offer of a freshly loaded page may never gather a candidate.
 */

const PATIENCE = { impolite: 12_000, polite: 20_000 };
const FIRST_OFFER = 3_000;
const LIMP = 5_000;
const HANG_UP = 1_000;
const MOST_EARLY = 100;

export class Call extends EventTarget {
  /** State of the connection: idle, connecting, connected, weak. */
  state = "idle";
  /** What the other says of their devices: `{camera, microphone}`, true while on. */
  peer = { camera: true, microphone: true };
  remote = new MediaStream();

  #media;
  #send;
  #polite;
  #ice = { servers: [], relayOnly: false };
  #other = null;
  #here = false;
  #early = [];
  #pc = null;
  #channel = null;
  #senders = {};
  #timer = null;
  #making = false;
  #ignoring = false;
  #settingAnswer = false;
  #session = null;
  #filled = false;

  /** `media`: Media; `send(signal)` says `{to, page, description | candidate}` to the room; `polite`: gives way. */
  constructor({ media, send, polite }) {
    super();
    this.#media = media;
    this.#send = send;
    this.#polite = polite;
    media.addEventListener("change", () => this.#devicesChanged());
  }

  /** Whom to talk to: a row of the member list, or null. Called after every change of that list. */
  meet(other, ice) {
    this.#ice = ice;
    if (!other?.present || !other.page) {
      this.#here = false;
      // a call that works goes on without the room; one that does not is over
      if (this.#pc && this.state !== "connected") this.close();
      return;
    }
    this.#here = true;
    if (this.#pc && this.#other.page === other.page) return;
    this.#other = other;
    this.#begin();
    for (const signal of this.#early.splice(0)) this.signal(signal);
  }

  /** End the call. */
  close() {
    this.#drop();
    this.#other = null;
    this.#become("idle");
  }

  /** The room's socket was away and signals may have been lost: a call that does not stand begins anew. */
  resume() {
    if (this.#pc && this.#here && this.state !== "connected") this.#begin();
  }

  /** A signal of the room: W3C WebRTC 1.0 section 10.7, `signaler.onmessage`. */
  async signal({ page, description, candidate }) {
    if (!this.#pc || page !== this.#other.page) return this.#keep({ page, description, candidate });
    const pc = this.#pc;
    try {
      if (description) await this.#describe(pc, description);
      else if (candidate) await this.#candidate(pc, candidate);
    } catch (error) {
      if (pc !== this.#pc) return; // dropped meanwhile
      console.warn("signal not applied:", error.name);
      this.#begin();
    }
    return undefined;
  }

  /** The other was quicker: what comes before this page is ready waits for it. A new offer makes older ones void. */
  #keep(signal) {
    const fresh = signal.description?.type === "offer" || this.#early[0]?.page !== signal.page;
    this.#early = fresh ? [signal] : [...this.#early, signal].slice(-MOST_EARLY);
  }

  async #describe(pc, description) {
    const session = sessionOf(description.sdp);
    if (description.type === "offer" && this.#session !== null && session !== this.#session) {
      this.#begin();
      return this.#describe(this.#pc, description);
    }
    if (!this.#filled) this.#fill(pc);
    const ready = !this.#making && (pc.signalingState === "stable" || this.#settingAnswer);
    const collision = description.type === "offer" && !ready;
    this.#ignoring = !this.#polite && collision;
    if (this.#ignoring) return undefined;
    this.#session = session;
    this.#settingAnswer = description.type === "answer";
    try {
      await pc.setRemoteDescription(description);
    } finally {
      this.#settingAnswer = false;
    }
    if (description.type !== "offer") return undefined;
    await pc.setLocalDescription();
    return this.#say(pc, { description: pc.localDescription });
  }

  async #candidate(pc, candidate) {
    try {
      await pc.addIceCandidate(candidate);
    } catch (error) {
      if (!this.#ignoring) throw error;
    }
  }

  #begin() {
    this.#drop();
    const pc = new RTCPeerConnection({
      iceServers: this.#ice.servers,
      iceTransportPolicy: this.#ice.relayOnly ? "relay" : "all",
    });
    this.#pc = pc;
    this.remote = new MediaStream();
    this.peer = { camera: true, microphone: true };
    this.#become("connecting");
    pc.addEventListener("negotiationneeded", () => this.#negotiate(pc));
    pc.addEventListener("icecandidate", ({ candidate }) => candidate && this.#say(pc, { candidate: candidate.toJSON() }));
    pc.addEventListener("track", ({ track }) => this.#gained(pc, track));
    pc.addEventListener("connectionstatechange", () => this.#moved(pc));
    if (this.#polite) this.#wait(FIRST_OFFER, () => this.#fill(pc));
    else this.#fill(pc);
  }

  get #patience() {
    return this.#polite ? PATIENCE.polite : PATIENCE.impolite;
  }

  async #negotiate(pc) {
    if (pc !== this.#pc) return;
    try {
      this.#making = true;
      await pc.setLocalDescription();
      this.#say(pc, { description: pc.localDescription });
    } catch (error) {
      console.warn("no offer made:", error.name);
    } finally {
      this.#making = false;
    }
  }

  /** Pages tell one another which devices are on: a camera that is off sends nothing, which looks like a bad line. */
  #openChannel(pc) {
    const channel = pc.createDataChannel("devices", { negotiated: true, id: 0 });
    this.#channel = channel;
    channel.addEventListener("open", () => this.#tellDevices());
    channel.addEventListener("message", ({ data }) => {
      if (pc !== this.#pc) return;
      const { camera, microphone } = JSON.parse(data);
      this.peer = { camera: camera === true, microphone: microphone === true };
      this.#changed();
    });
    channel.addEventListener("close", () => {
      if (pc !== this.#pc) return;
      // hung up, or about to offer a new connection: the member list or the offer will say which
      this.#weaken(this.#polite ? this.#patience : HANG_UP, () => this.#begin());
    });
  }

  /** Put in what is to be negotiated; from now on this side may offer, too. */
  #fill(pc) {
    this.#filled = true;
    this.#wait(this.#patience, () => this.#begin());
    this.#openChannel(pc);
    const stream = new MediaStream();
    this.#senders = {};
    for (const kind of ["microphone", "camera"]) {
      const track = this.#media.tracks[kind];
      if (track) this.#senders[kind] = pc.addTrack(track, stream);
      // the impolite side makes room for what it only receives; the polite side answers to that
      else if (!this.#polite) pc.addTransceiver(kind === "camera" ? "video" : "audio", { direction: "recvonly" });
    }
  }

  async #devicesChanged() {
    const pc = this.#pc;
    if (!pc || !this.#filled) return;
    for (const kind of ["microphone", "camera"]) {
      const track = this.#media.tracks[kind];
      const sender = this.#senders[kind];
      if (sender) await sender.replaceTrack(track);
      else if (track && pc === this.#pc) this.#senders[kind] = pc.addTrack(track, new MediaStream());
    }
    this.#tellDevices();
  }

  #tellDevices() {
    if (this.#channel?.readyState !== "open") return;
    const { camera, microphone } = this.#media;
    this.#channel.send(JSON.stringify({ camera: camera === "on", microphone: microphone === "on" }));
  }

  #gained(pc, track) {
    if (pc !== this.#pc) return;
    this.remote.addTrack(track);
    this.#changed();
  }

  #moved(pc) {
    if (pc !== this.#pc) return;
    if (pc.connectionState === "connected") {
      this.#wait(null);
      this.#become("connected");
    } else if (pc.connectionState === "disconnected") {
      this.#weaken(LIMP, () => this.#restart(pc));
    } else if (pc.connectionState === "failed") {
      this.#weaken(0, () => this.#restart(pc));
    }
  }

  /** The line is bad. Somebody who has left the room will not mend it: then the call is over until they return. */
  #weaken(milliseconds, act) {
    if (!this.#here) return this.close();
    this.#become("weak");
    return this.#wait(milliseconds, act);
  }

  #restart(pc) {
    pc.restartIce();
    this.#wait(this.#patience, () => this.#begin());
  }

  #say(pc, what) {
    if (pc !== this.#pc) return;
    this.#send({ type: "signal", to: this.#other.id, page: this.#other.page, ...what });
  }

  #wait(milliseconds, act) {
    clearTimeout(this.#timer);
    this.#timer = milliseconds === null ? null : setTimeout(act, milliseconds);
  }

  #drop() {
    this.#wait(null);
    this.#pc?.close();
    this.#pc = null;
    this.#channel = null;
    this.#session = null;
    this.#filled = false;
    this.#making = this.#ignoring = this.#settingAnswer = false;
  }

  #become(state) {
    this.state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** The session id of a description's `o=` line. */
export function sessionOf(sdp) {
  return sdp.match(/^o=\S+ (\S+)/m)?.[1] ?? null;
}
