import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import { encodeFrame, frameDecoder, MAX_FRAME_BYTES, SANDBOXD_PROTOCOL } from "@handrail/protocol/sandboxd/frames";
import type { ToSandboxd } from "@handrail/protocol/sandboxd/to-sandboxd";
import { expect, test } from "vitest";
import { Late } from "../late.ts";
import type { Work } from "../work.ts";
import { Connection } from "./connection.ts";

const WELCOME = { version: "0", bootId: "b", workspace: "/w", user: "u", shell: "sh", git: false };

/** Hears what a connection says. */
function heardBy(stream: Duplex): unknown[] {
  const heard: unknown[] = [];
  const decode = frameDecoder();
  stream.on("data", (bytes: Buffer) =>
    heard.push(...decode(bytes).map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)))),
  );
  return heard;
}

const frameOf = (message: unknown) =>
  encodeFrame({ channel: 0, payload: new TextEncoder().encode(JSON.stringify(message)) });

test("an outcome that no frame holds is told as an error, and the connection goes on", async () => {
  const [near, far] = duplexPair();
  const work = new Late<Work>(() => Promise.reject(new Error("Nothing is asked for.")));
  const connection = new Connection(near, { work, welcome: WELCOME, token: undefined });
  connection.ended("a", { ok: true, result: "x".repeat(MAX_FRAME_BYTES) });
  connection.ended("b", { ok: true, result: "small" });
  const heard = heardBy(far);
  const message = "The answer is too large to be sent.";
  await expect
    .poll(() => heard)
    .toEqual([
      { type: "ended", id: "a", outcome: { ok: false, error: { code: "answer_too_large", message, details: {} } } },
      { type: "ended", id: "b", outcome: { ok: true, result: "small" } },
    ]);
  connection.close();
});

test("a server is welcomed before the work is loaded, and what it says meanwhile is heard in its order", async () => {
  const [near, far] = duplexPair();
  const acknowledged: (readonly string[])[] = [];
  const calls = { acknowledge: (ids: readonly string[]) => acknowledged.push(ids), detach: () => {} };
  const loading = Promise.withResolvers<Work>();
  const work = new Late(() => loading.promise);
  const connection = new Connection(near, { work, welcome: WELCOME, token: undefined });
  const heard = heardBy(far);
  far.write(frameOf({ type: "hello", protocol: SANDBOXD_PROTOCOL, token: "" }));
  await expect.poll(() => heard).toEqual([{ type: "welcome", protocol: SANDBOXD_PROTOCOL, ...WELCOME }]);
  for (const id of ["a", "b"]) far.write(frameOf({ type: "ack", ids: [id] }));
  const read = (message: unknown) => message as ToSandboxd;
  loading.resolve({ calls, read, load: async () => {}, close: () => {} } as unknown as Work);
  await loading.promise;
  far.write(frameOf({ type: "ack", ids: ["c"] }));
  await expect.poll(() => acknowledged).toEqual([["a"], ["b"], ["c"]]);
  connection.close();
});

test.each([
  ["no object", null],
  ["another message", { type: "ping", id: "a" }],
  ["a protocol that is no number", { type: "hello", protocol: "2", token: "" }],
  ["no token", { type: "hello", protocol: SANDBOXD_PROTOCOL }],
])("%s in the place of hello is refused", async (_what, message) => {
  const [near, far] = duplexPair();
  const connection = new Connection(near, {
    work: new Late<Work>(() => Promise.reject(new Error("Nothing is asked for."))),
    welcome: WELCOME,
    token: undefined,
  });
  const heard = heardBy(far);
  far.write(frameOf(message));
  const refused = { type: "refused", code: "sandboxd_protocol", message: "The first message must be hello." };
  await expect.poll(() => heard).toEqual([refused]);
  far.end();
  expect(await connection.welcomed.then(undefined, () => "failed")).toBe(false);
});
