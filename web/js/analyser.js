/**
 * The student's second connection: a small copy of the camera's picture for the analyser, by WHIP (RFC 9725).
 * Video only, 240 lines, 5 frames a second, 100 kbit/s, VP8. The lesson does not depend on it.
 */

import { address } from "./place.js";
import { ticketFor } from "./api.js";
import { pauseBefore } from "./socket.js";

export const HEIGHT = 240;
export const FRAMES = 5;
export const BITRATE = 100_000;
const GATHERING = 1_500;
const LIMP = 5_000;
const STEADY = 10_000;

/** Codecs with VP8 first: it is what the analyser decodes at the least cost. */
export function preferred(codecs) {
  const vp8 = ({ mimeType }) => mimeType.toLowerCase() === "video/vp8";
  return [...codecs.filter(vp8), ...codecs.filter((codec) => !vp8(codec))];
}

/** How much to shrink a picture of this height so that 240 lines are left. Never enlarges. */
export function shrink(height) {
  return Math.max(1, (height ?? HEIGHT) / HEIGHT);
}

/** An SDP fragment with one more candidate (RFC 8840, as RFC 9725 section 4.3.1 asks). */
export function fragment(sdp, { candidate, sdpMid }) {
  const line = (name) => sdp.match(new RegExp(`^a=${name}:.*$`, "m"))?.[0] ?? "";
  const media = sdp.match(/^m=.*$/m)?.[0] ?? "m=video 9 UDP/TLS/RTP/SAVPF 0";
  return [line("ice-ufrag"), line("ice-pwd"), media, `a=mid:${sdpMid}`, `a=${candidate}`, ""].join("\r\n");
}

export class AnalyserFeed {
  #member;
  #session = null;
  #attempt = 0;
  #wanted = null;
  #timers = {};

  constructor({ member }) {
    this.#member = member;
  }

  /** Feed this camera track to the analyser of a room, or nothing. Said again with the same track, it changes nothing. */
  want(track, room, ice) {
    if (track === (this.#wanted?.track ?? null)) return;
    this.#stop();
    this.#wanted = track && { track, room, ice };
    this.#attempt = 0;
    if (track) this.#start();
  }

  /** The server has lost what received this session, and says so sooner than the connection would notice. */
  moved() {
    if (this.#session?.answered) this.#again();
    else if (this.#session) this.#session.outdated = true;
  }

  /** Stop now and tell the server; the last call of a page that goes away. */
  close() {
    this.want(null);
  }

  async #start() {
    this.#attempt += 1;
    const session = new Session(this.#wanted, (state) => this.#moved(session, state));
    this.#session = session;
    try {
      await session.open(await ticketFor(this.#member, "whip"));
      if (session === this.#session && session.outdated) this.#again();
    } catch (error) {
      if (session !== this.#session) return;
      console.info("analyser not reached:", error.code ?? error.name);
      this.#again();
    }
  }

  #moved(session, state) {
    if (session !== this.#session) return;
    this.#cancel();
    if (state === "connected") this.#after(STEADY, () => (this.#attempt = 0));
    else if (state === "disconnected") this.#after(LIMP, () => this.#again());
    else if (state === "failed") this.#again();
  }

  #again() {
    this.#stop();
    this.#after(pauseBefore(this.#attempt + 1, Math.random()), () => this.#wanted && this.#start());
  }

  #stop() {
    this.#cancel();
    const session = this.#session;
    this.#session = null;
    session?.close();
  }

  #after(milliseconds, act) {
    this.#timers.next = setTimeout(act, milliseconds);
  }

  #cancel() {
    clearTimeout(this.#timers.next);
  }
}

/** One WHIP session: offer, answer, trickle, end. */
class Session {
  #pc;
  #track;
  #room;
  #ticket = null;
  #location = null;
  #late = [];
  #offered = false;
  #closed = false;
  /** The answer that is still to come is that of somebody who is gone. */
  outdated = false;

  constructor({ track, room, ice }, moved) {
    this.#room = room;
    this.#track = track.clone();
    this.#pc = new RTCPeerConnection({
      iceServers: ice.servers,
      iceTransportPolicy: ice.relayOnly ? "relay" : "all",
      bundlePolicy: "max-bundle",
    });
    this.#pc.addEventListener("connectionstatechange", () => moved(this.#pc.connectionState));
  }

  /** Whether the server has taken the offer. */
  get answered() {
    return this.#location !== null;
  }

  async open(ticket) {
    this.#ticket = ticket;
    await this.#slim();
    await this.#pc.setLocalDescription();
    await this.#gathered();
    if (this.#closed) return undefined;
    this.#offered = true;
    const response = await this.#request("POST", address(`whip/${this.#room}`), "application/sdp", this.#sdp);
    this.#location = new URL(response.headers.get("Location"), response.url);
    const answer = await response.text();
    if (this.#closed) return this.#end();
    await this.#pc.setRemoteDescription({ type: "answer", sdp: answer });
    for (const candidate of this.#late.splice(0)) this.#trickle(candidate);
    return undefined;
  }

  /** Shape the copy twice: constraints spare the capture, encoding parameters hold where constraints do not. */
  async #slim() {
    const track = this.#track;
    track.contentHint = "motion"; // not "detail", which would switch the encoder to screen content
    await track.applyConstraints({ height: HEIGHT, frameRate: { max: FRAMES } }).catch((error) => {
      if (error.name !== "OverconstrainedError") throw error;
    });
    const scale = shrink(track.getSettings().height);
    const transceiver = this.#pc.addTransceiver(track, {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: BITRATE, maxFramerate: FRAMES, scaleResolutionDownBy: scale }],
    });
    const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
    if (transceiver.setCodecPreferences) transceiver.setCodecPreferences(preferred(codecs));
    const parameters = transceiver.sender.getParameters();
    // a small sharp face says more than a smooth blurred one
    parameters.degradationPreference = "maintain-resolution";
    await transceiver.sender.setParameters(parameters);
  }

  /** Wait for the candidates, but not for slow ones: those follow by PATCH. */
  #gathered() {
    const pc = this.#pc;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHERING);
      const done = () => (clearTimeout(timer), resolve());
      if (pc.iceGatheringState === "complete") done();
      pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && done());
      pc.addEventListener("icecandidate", ({ candidate }) => candidate && this.#found(candidate));
    });
  }

  #found(candidate) {
    if (!this.#offered) return; // it stands in the offer
    if (this.#location) this.#trickle(candidate);
    else this.#late.push(candidate);
  }

  get #sdp() {
    return this.#pc.localDescription.sdp;
  }

  async #trickle(candidate) {
    const line = candidate.candidate;
    if (this.#closed || !line) return;
    const body = fragment(this.#sdp, candidate);
    try {
      await this.#request("PATCH", this.#location, "application/trickle-ice-sdpfrag", body);
    } catch (error) {
      console.info("candidate not taken:", error.code ?? error.name);
    }
  }

  async #request(method, url, type, body) {
    const response = await fetch(url, {
      method,
      credentials: "omit",
      keepalive: method === "DELETE",
      headers: { Authorization: `Bearer ${this.#ticket}`, ...(type ? { "Content-Type": type } : {}) },
      body,
    });
    if (!response.ok) {
      throw Object.assign(new Error(`expected ${method} to be taken, got ${response.status}`), {
        code: response.status,
      });
    }
    return response;
  }

  /** End the session: the copy stops at once, the server hears of it as soon as it can. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#track.stop();
    this.#pc.close();
    if (this.#location) this.#end();
  }

  #end() {
    return this.#request("DELETE", this.#location).catch((error) => {
      // the server also ends the session when it sees the connection or the room's socket go
      console.info("session not ended by hand:", error.code ?? error.name);
    });
  }
}
