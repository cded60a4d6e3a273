/** Names of people, as long as they may be. */

const MOST = 32;

/** A name that leaves room for the sentence it stands in: as many of its words as fit, then an ellipsis. */
export function shortened(name) {
  if (name.length <= MOST) return name;
  const start = [...name].slice(0, MOST - 1).join("");
  const words = start.slice(0, start.lastIndexOf(" ") + 1).trimEnd();
  return `${words || start}…`;
}
