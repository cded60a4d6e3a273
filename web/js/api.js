/** Requests of the pages, and the two posts that admit one: its session, then a ticket for each connection. */

import { address } from "./place.js";

/** `status` is the HTTP status, 0 when the server was not reached; `code` is a word of lessonroom/errors.py. */
export class ApiError extends Error {
  constructor(status, code) {
    super(`expected an answer of the server, got ${status} ${code}`);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }

  /** Asking again with the same link cannot help. */
  get final() {
    return [401, 403, 404, 410].includes(this.status);
  }
}

/** The server's answer to a post. Raises ApiError. */
export function post(path, body) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** The server's answer to a get. Raises ApiError. */
export function get(path) {
  return ask(path, { method: "GET" });
}

async function ask(path, request) {
  let response;
  try {
    response = await fetch(address(path), { credentials: "same-origin", ...request });
  } catch {
    throw new ApiError(0, "unreachable");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.code ?? "internal");
  return answer;
}

/**
 * Open or continue the session: `{member, room, role, name}`. A code that was spent before is no obstacle for the
 * browser that spent it: its cookie still opens the door.
 */
export async function openSession(member, code) {
  const path = `api/members/${encodeURIComponent(member)}/session`;
  if (!code) return post(path, {});
  try {
    return await post(path, { code });
  } catch (error) {
    if (!(error instanceof ApiError) || !error.final) throw error;
    return post(path, {});
  }
}

/** A single-use ticket for one connection; `purpose` is `socket`, `whip` or `operations`. */
export async function ticketFor(member, purpose) {
  const answer = await post(`api/members/${encodeURIComponent(member)}/tickets`, { purpose });
  return answer.ticket;
}
