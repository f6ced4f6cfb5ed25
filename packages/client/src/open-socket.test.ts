import type { ToServer } from "@handrail/protocol/socket";
import { expect, test } from "vitest";
import type { ConnectionState } from "./connection.ts";
import { openSocket, type SocketOptions } from "./open-socket.ts";
import type { Timers } from "./timers.ts";
import type { SocketHandlers } from "./web-socket.ts";

const C = "c_0123456789abcdefghjk";
const event = (seq: number) => ({ seq, at: seq, event: { type: "conversation.archived" as const } });
const events = (...seqs: number[]) => ({ type: "events", conversationId: C, events: seqs.map(event) });

/** A clock that moves when told. */
function scriptedTimers() {
  let now = 0;
  let waiting: { at: number; callback: () => void }[] = [];
  const timers: Timers = {
    now: () => now,
    after(delayMs, callback) {
      const entry = { at: now + delayMs, callback };
      waiting.push(entry);
      return () => (waiting = waiting.filter((other) => other !== entry));
    },
  };
  function advance(ms: number) {
    const end = now + ms;
    for (;;) {
      const due = waiting.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      waiting = waiting.filter((entry) => entry !== due);
      now = due.at;
      due.callback();
    }
    now = end;
  }
  return { timers, advance };
}

/** An open client socket, with the server's side of each WebSocket it made. */
function setUp(options: Partial<SocketOptions> = {}) {
  const { timers, advance } = scriptedTimers();
  const peers: { url: string; headers: object; sent: ToServer[]; closed: boolean; handlers: SocketHandlers }[] = [];
  const states: ConnectionState[] = [];
  const socket = openSocket({
    baseUrl: "http://localhost:3000",
    timers,
    random: () => 0,
    onState: (state) => states.push(state),
    dial(url, headers, handlers) {
      const peer = { url, headers, sent: [] as ToServer[], closed: false, handlers };
      peers.push(peer);
      return { send: (text) => peer.sent.push(JSON.parse(text)), close: () => (peer.closed = true) };
    },
    ...options,
  });
  const say = (frame: unknown) => peers.at(-1)!.handlers.onText(JSON.stringify(frame));
  return { socket, peers, states, advance, say, open: () => peers.at(-1)!.handlers.onOpen() };
}

test("a watcher who can answer says so, each time it asks", () => {
  const { socket, peers, advance, open } = setUp({ token: "t" });
  socket.subscribe(C, 3, { onEvents: () => undefined, attended: true });
  open();
  peers[0]!.handlers.onClose(1006);
  advance(250);
  open();
  const asked = { type: "subscribe", conversationId: C, after: 3, attended: true };
  expect(peers.map(({ sent }) => sent)).toEqual([[asked], [asked]]);
});

test("after a loss the conversation is asked for after its last event, and each event arrives once", () => {
  const { socket, peers, states, advance, say, open } = setUp({ token: "t" });
  const got: number[] = [];
  socket.subscribe(C, -1, { onEvents: (list) => got.push(...list.map(({ seq }) => seq)) });
  open();
  say(events(0, 1));
  peers[0]!.handlers.onClose(1006);
  advance(250);
  open();
  say(events(1, 2));

  expect(got).toEqual([0, 1, 2]);
  expect(peers.map(({ url, headers, sent }) => [url, headers, sent])).toEqual([
    [
      "ws://localhost:3000/api/socket",
      { authorization: "Bearer t" },
      [{ type: "subscribe", conversationId: C, after: -1 }],
    ],
    [
      "ws://localhost:3000/api/socket",
      { authorization: "Bearer t" },
      [{ type: "subscribe", conversationId: C, after: 1 }],
    ],
  ]);
  expect(states).toEqual([
    { status: "connecting" },
    { status: "connected" },
    { status: "offline", since: 0, retryAt: 250 },
    { status: "connected" },
  ]);
});

test("a gap is asked for again, and again until the replay comes", () => {
  const { socket, peers, advance, say, open } = setUp();
  const got: number[] = [];
  socket.subscribe(C, 4, { onEvents: (list) => got.push(...list.map(({ seq }) => seq)) });
  open();
  say(events(5));
  say(events(7));
  advance(5_000);
  say(events(6, 7));
  advance(15_000);

  const again = [
    { type: "unsubscribe", conversationId: C },
    { type: "subscribe", conversationId: C, after: 5 },
  ];
  expect(got).toEqual([5, 6, 7]);
  expect(peers[0]!.sent).toEqual([{ type: "subscribe", conversationId: C, after: 4 }, ...again, ...again]);
});

test("tries come at growing delays until one succeeds, and offline counts from the first loss", () => {
  const { peers, states, advance, open } = setUp();
  open();
  for (const delay of [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]) {
    peers.at(-1)!.handlers.onClose(1006);
    advance(delay - 1);
    const before = peers.length;
    advance(1);
    expect(peers.length).toBe(before + 1);
  }
  expect(states.at(-1)).toEqual({ status: "offline", since: 0, retryAt: 35_750 });
});

test("a connection that held starts the delays anew", () => {
  const { peers, states, advance, open } = setUp();
  peers[0]!.handlers.onClose(1006);
  advance(250);
  open();
  advance(5_000);
  peers[1]!.handlers.onClose(1006);
  expect(states.at(-1)).toEqual({ status: "offline", since: 5_250, retryAt: 5_500 });
});

test("when nobody is signed in the client stops", () => {
  const { socket, peers, states, advance, open } = setUp();
  open();
  peers[0]!.handlers.onClose(4001);
  advance(60_000);
  socket.retryNow();
  expect(states.at(-1)).toEqual({ status: "signedOut" });
  expect(peers).toHaveLength(1);
});

test("a peer that answers no ping is given up", () => {
  const { peers, states, advance, say, open } = setUp();
  open();
  advance(20_000);
  say({ type: "pong" });
  advance(29_999);
  expect(states.at(-1)).toEqual({ status: "connected" });
  advance(1);
  expect(states.at(-1)).toEqual({ status: "offline", since: 50_000, retryAt: 50_250 });
  expect(peers[0]).toMatchObject({ closed: true, sent: [{ type: "ping" }, { type: "ping" }] });
});

test("a socket that does not open within ten seconds is given up", () => {
  const { peers, states, advance } = setUp();
  advance(10_000);
  expect(peers[0]!.closed).toBe(true);
  expect(states.at(-1)).toEqual({ status: "offline", since: 10_000, retryAt: 10_250 });
});

test("what a socket says after it was given up is not heard", () => {
  const { socket, peers, advance, open } = setUp();
  const got: number[] = [];
  socket.subscribe(C, -1, { onEvents: (list) => got.push(...list.map(({ seq }) => seq)) });
  open();
  advance(30_000);
  peers[0]!.handlers.onText(JSON.stringify(events(0)));
  expect(got).toEqual([]);
});

test("retryNow does not wait for the next try", () => {
  const { socket, peers } = setUp();
  peers[0]!.handlers.onClose(1006);
  socket.retryNow();
  socket.retryNow();
  expect(peers).toHaveLength(2);
});

test("a terminal is opened again at the next byte, and typing while offline is refused", () => {
  const { socket, peers, advance, say, open } = setUp();
  const place = { conversationId: C, terminal: "main", columns: 80, rows: 24 };
  const output = (offset: number, text: string) => ({ type: "terminal.output", ...name, offset, data: btoa(text) });
  const name = { conversationId: C, terminal: "main" };
  let seen = "";
  let closed = "";
  const terminal = socket.openTerminal(place, {
    onOutput: (piece) => (seen += new TextDecoder().decode(piece.bytes)),
    onClosed: (reason) => (closed = reason),
  });
  open();
  terminal.resize(100, 30);
  say(output(0, "$ ls\n"));
  peers[0]!.handlers.onClose(1001);
  expect(terminal.type(new TextEncoder().encode("x"))).toBe(false);
  advance(250);
  open();
  expect(terminal.type(new TextEncoder().encode("x"))).toBe(true);
  say(output(3, "s\nREADME\n"));
  say({ type: "terminal.closed", ...name, reason: "exited" });

  expect([seen, closed]).toEqual(["$ ls\nREADME\n", "exited"]);
  expect(peers[1]!.sent).toEqual([
    { type: "terminal.open", ...name, offset: 5, columns: 100, rows: 30 },
    { type: "terminal.type", ...name, data: btoa("x") },
  ]);
});

test("deltas, summaries, versions and errors reach those who asked", () => {
  const heard: unknown[] = [];
  const { socket, say, open } = setUp({
    onVersion: (version) => heard.push(version),
    onSummary: (id, summary) => heard.push([id, summary]),
    onError: (error) => heard.push(error.message),
  });
  const onError = (error: Error) => heard.push(`${C}: ${error.message}`);
  socket.subscribe(C, -1, { onEvents: () => {}, onDelta: (delta) => heard.push(delta), onError });
  open();
  const delta = { type: "text.delta", stepId: "s", offset: 0, text: "Hi" };
  say({ type: "welcome", version: "0.1.0" });
  say({ type: "delta", conversationId: C, delta: { ...delta, later: 1 } });
  say({ type: "summary", conversationId: C, summary: null });
  say({ type: "error", code: "conversation_not_found", message: "There is no such conversation.", conversationId: C });
  say({ type: "error", code: "bad_request", message: "What?" });
  say({ type: "from.the.future" });

  expect(heard.slice(0, 5)).toEqual(["0.1.0", delta, [C, null], `${C}: There is no such conversation.`, "What?"]);
  expect(heard[5]).toMatch(/not understood/);
});

test("an ended subscription hears nothing more, and the second watcher takes the first's place", () => {
  const { socket, peers, say, open } = setUp();
  const first: number[] = [];
  const second: number[] = [];
  const endFirst = socket.subscribe(C, -1, { onEvents: (list) => first.push(...list.map(({ seq }) => seq)) });
  const endSecond = socket.subscribe(C, -1, { onEvents: (list) => second.push(...list.map(({ seq }) => seq)) });
  open();
  endFirst();
  say(events(0));
  endSecond();
  say(events(1));
  expect([first, second]).toEqual([[], [0]]);
  expect(peers[0]!.sent.map(({ type }) => type)).toEqual(["subscribe", "unsubscribe"]);
});
