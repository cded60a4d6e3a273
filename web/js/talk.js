/** The chat as a list: pure rules for messages that are sent, answered, replayed, blocked and put away. */

/** What a person typed as the protocol takes it: no NUL, no half of a surrogate pair (a broken paste can hold both). */
export function sendable(text) {
  return text.replaceAll("\0", "").toWellFormed();
}

/**
 * One message of the view: `{id, seq, sender, text, at, state, code, findings, decided}`. `seq` is null until it is
 * stored; `state`: sending, relayed, held, blocked, appealed, refused; `decided`: a person has said so, and that stands.
 */
export function sent(messages, { id, sender, text, at }) {
  if (messages.some((message) => message.id === id)) return messages;
  return [...messages, { id, seq: null, sender, text, at, state: "sending", code: null, findings: [], decided: false }];
}

/** A message of the server, relayed or replayed: it takes the place of the one that waits under the same id. */
export function arrived(messages, incoming, dismissed) {
  const { id, seq, sender, text, at, state = "relayed", findings = [], decided = false } = incoming;
  const rest = messages.filter((message) => !(message.id === id && message.sender === sender));
  if (state === "blocked" && dismissed.includes(id)) return rest;
  return ordered([...rest, { id, seq, sender, text, at, state, code: null, findings, decided }]);
}

/** The server has stored our message and says what became of it. */
export function acknowledged(messages, { id, seq, at, state, findings = [], decided = false }) {
  return ordered(change(messages, id, { seq, at, state, findings, decided, code: null }));
}

/** The server has not stored our message; its text stays with the writer. */
export function refused(messages, { id, code }) {
  return change(messages, id, { state: "refused", code });
}

/** The writer tries a refused message again under the same id. */
export function retried(messages, id) {
  return change(messages, id, { state: "sending", code: null });
}

/** The writer puts a message away: a blocked one, or one that was never stored. */
export function removed(messages, id) {
  return messages.filter((message) => message.id !== id);
}

/** The blocked message that the writer must decide on now, oldest first, or null. */
export function stopped(messages, me) {
  return messages.find((message) => message.sender === me && inInput(message)) ?? null;
}

/** What the list shows: everything except blocked messages, which stand in the input line until a person has decided. */
export function listed(messages) {
  return messages.filter((message) => !inInput(message));
}

/** How much came after the last that was in view: messages of others, and what a person decided about one's own. */
export function unread(messages, me, readUpTo) {
  return messages.filter(({ sender, seq, decided }) => (sender !== me || decided) && seq > readUpTo).length;
}

const inInput = ({ state, decided }) => state === "blocked" && !decided;

/** A text cut at its findings: `[{text, found}]`; spans are in UTF-16 units and may overlap or reach too far. */
export function marked(text, findings) {
  const edges = new Set([0, text.length]);
  for (const { start, end } of findings) edges.add(Math.min(start, text.length)).add(Math.min(end, text.length));
  const cuts = [...edges].sort((a, b) => a - b);
  const pieces = [];
  for (let index = 0; index + 1 < cuts.length; index += 1) {
    const [from, to] = [cuts[index], cuts[index + 1]];
    const found = findings.some((finding) => finding.start <= from && finding.end >= to);
    const last = pieces.at(-1);
    if (last?.found === found) last.text += text.slice(from, to);
    else pieces.push({ text: text.slice(from, to), found });
  }
  return pieces;
}

function change(messages, id, fields) {
  return messages.map((message) => (message.id === id ? { ...message, ...fields } : message));
}

function ordered(messages) {
  const stored = messages.filter((message) => message.seq !== null).sort((a, b) => a.seq - b.seq);
  return [...stored, ...messages.filter((message) => message.seq === null)];
}
