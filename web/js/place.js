/**
 * Where this page lives. The server may be mounted under a prefix, so every address is made from this module's own:
 * `ROOT/static/js/place.js` tells `ROOT/`.
 */

export const root = new URL("../../", import.meta.url);

/** The absolute address of a path below the server's root. */
export function address(path) {
  return new URL(path, root);
}

/** The same for a WebSocket. */
export function socketAddress(path) {
  const url = address(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** The member that the page's address names: the last part of `/lesson/MEMBER` or `/operations/MEMBER`. */
export function memberOf(location) {
  return decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1) ?? "");
}

/** The link's one-time code. It stands in the fragment, which no browser sends to a server. */
export function codeOf(location) {
  return location.hash.slice(1) || null;
}

/** Take the code out of the address bar and of the history once it is spent. */
export function forgetCode() {
  history.replaceState(null, "", location.pathname + location.search);
}

/** An identifier made by this page: 22 characters of the alphabet that the protocol allows. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
