import assert from "node:assert/strict";
import { test } from "node:test";

import { LastingSocket, pauseBefore } from "../../web/js/socket.js";

/** A clock by hand and sockets that do what the test says. */
function world({ tickets = async () => "ticket", ...options } = {}) {
  const now = { at: 0 };
  const timers = new Map();
  const sockets = [];
  const states = [];
  const heard = [];
  let next = 1;
  class FakeSocket {
    sent = [];
    closed = null;
    constructor() {
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close(code) {
      this.closed = code ?? true;
    }
    opens() {
      this.onopen();
    }
    says(message) {
      this.onmessage({ data: JSON.stringify(message) });
    }
    dies(code = 1006) {
      this.onclose({ code });
    }
  }
  const socket = new LastingSocket({
    url: "ws://x/", protocol: "p", ticket: tickets, hello: (ticket) => ({ type: "hello", ticket }),
    onMessage: (message) => heard.push(message), onState: (state) => states.push(state),
    WebSocket: FakeSocket, random: () => 0.5,
    setTimeout: (act, milliseconds) => (timers.set(next, { act, at: now.at + milliseconds }), next++),
    clearTimeout: (timer) => timers.delete(timer), ...options,
  });
  const pass = async (milliseconds) => {
    const end = now.at + milliseconds;
    for (;;) {
      const due = [...timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      timers.delete(due[0]);
      now.at = due[1].at;
      due[1].act();
      await settle();
    }
    now.at = end;
  };
  return { socket, sockets, states, heard, pass };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function opened(options) {
  const made = world(options);
  await made.socket.start();
  made.sockets[0].opens();
  made.sockets[0].says({ type: "welcome" });
  return made;
}

test("it says hello first, and is open from the first answer on", async () => {
  const { socket, sockets, states } = world();
  await socket.start();
  sockets[0].opens();
  assert.deepEqual(sockets[0].sent, [{ type: "hello", ticket: "ticket" }]);
  assert.equal(socket.send({ type: "ping" }), false);
  sockets[0].says({ type: "welcome" });
  assert.deepEqual(states.map(({ state }) => state), ["connecting", "open"]);
});

test("a lost socket is made again after a pause, with a fresh ticket", async () => {
  let number = 0;
  const { sockets, states, pass } = await opened({ tickets: async () => `ticket-${(number += 1)}` });
  sockets[0].dies();
  assert.equal(states.at(-1).state, "lost");
  await pass(600);
  sockets[1].opens();
  assert.deepEqual(sockets[1].sent, [{ type: "hello", ticket: "ticket-2" }]);
});

test("pauses double up to fifteen seconds and spread by luck", () => {
  assert.deepEqual([1, 2, 3].map((attempt) => pauseBefore(attempt, 0.5)), [500, 1000, 2000]);
  assert.equal(pauseBefore(20, 0.5), 15_000);
  assert.equal(pauseBefore(1, 0), 375);
  assert.equal(pauseBefore(1, 1), 625);
});

test("a socket that stood for a while begins again with the shortest pause", async () => {
  const { sockets, states, pass } = await opened();
  await pass(6_000);
  sockets[0].dies();
  assert.equal(states.at(-1).pause, 500);
});

test("a server that throws everybody out at once is not hammered", async () => {
  const { sockets, states, pass } = await opened();
  for (let round = 0; round < 3; round += 1) {
    sockets.at(-1).dies();
    await pass(20_000);
    sockets.at(-1).opens();
    sockets.at(-1).says({ type: "welcome" });
  }
  sockets.at(-1).dies();
  assert.equal(states.at(-1).pause, 4000);
});

test("silence for 25 seconds counts as a dead connection, a pong as life", async () => {
  const { sockets, states, pass } = await opened();
  await pass(20_000);
  assert.equal(sockets[0].sent.at(-1).type, "ping");
  sockets[0].says({ type: "pong" });
  await pass(20_000);
  assert.equal(states.at(-1).state, "open");
  await pass(10_000);
  assert.equal(states.at(-1).state, "lost");
});

for (const [code, reason] of [[4002, "replaced"], [4004, "room_closed"]]) {
  test(`close code ${code} ends it: ${reason}`, async () => {
    const { sockets, states, pass } = await opened();
    sockets[0].dies(code);
    await pass(60_000);
    assert.deepEqual(states.at(-1), { state: "ended", reason });
    assert.equal(sockets.length, 1);
  });
}

test("a session that is over ends it, a server that is away does not", async () => {
  const refused = Object.assign(new Error(), { final: true, code: "ticket_refused" });
  const over = world({ tickets: async () => { throw refused; } });
  await over.socket.start();
  assert.deepEqual(over.states.at(-1), { state: "ended", reason: "ticket_refused" });

  const away = world({ tickets: async () => { throw Object.assign(new Error(), { final: false, code: "unreachable" }); } });
  await away.socket.start();
  assert.equal(away.states.at(-1).state, "lost");
});

test("four refused tickets in a row end it", async () => {
  const { socket, sockets, states, pass } = world();
  await socket.start();
  for (let round = 0; round < 4; round += 1) {
    sockets.at(-1).dies(4001);
    await pass(20_000);
  }
  assert.deepEqual(states.at(-1), { state: "ended", reason: "ticket_refused" });
});

test("a nudge tries at once, and only while there is nothing", async () => {
  const { socket, sockets } = await opened();
  socket.nudge();
  assert.equal(sockets.length, 1);
  sockets[0].dies();
  socket.nudge();
  await settle();
  assert.equal(sockets.length, 2);
});

test("in doubt it asks at once, and does not wait out the usual silence", async () => {
  const { socket, sockets, states, pass } = await opened();
  socket.doubt();
  assert.deepEqual(sockets[0].sent.at(-1), { type: "ping" });
  await pass(3_999);
  assert.equal(states.at(-1).state, "open");
  await pass(1);
  assert.equal(states.at(-1).state, "lost");
});

test("a word in time ends the doubt", async () => {
  const { socket, sockets, states, pass } = await opened();
  socket.doubt();
  sockets[0].says({ type: "pong" });
  await pass(20_000);
  assert.equal(states.at(-1).state, "open");
});

test("without a connection there is nothing to doubt", async () => {
  const { socket, sockets, states, pass } = await opened();
  sockets[0].dies();
  socket.doubt();
  assert.equal(states.at(-1).state, "lost");
  await pass(500);
  assert.equal(sockets.length, 2);
});

test("after a stop nothing is tried, and the last word goes out before the close", async () => {
  const { socket, sockets, pass } = await opened();
  socket.stop({ type: "leave" });
  assert.equal(sockets[0].sent.at(-1).type, "leave");
  assert.equal(sockets[0].closed, 1000);
  await pass(60_000);
  assert.equal(sockets.length, 1);
});

test("what an old socket still says is not heard", async () => {
  const { sockets, heard, pass } = await opened();
  const [old] = sockets;
  old.dies();
  await pass(600);
  old.says({ type: "chat.message" });
  assert.deepEqual(heard.map(({ type }) => type), ["welcome"]);
});
