import { duplexPair } from "node:stream";
import { frameDecoder, MAX_FRAME_BYTES } from "@handrail/protocol/sandboxd/frames";
import { expect, test } from "vitest";
import type { Calls } from "./calls.ts";
import { Connection } from "./connection.ts";

const WELCOME = { version: "0", bootId: "b", workspace: "/w", user: "u", shell: "sh", git: false };

test("an outcome that no frame holds is told as an error, and the connection goes on", async () => {
  const [near, far] = duplexPair();
  const calls = { detach: () => undefined } as unknown as Calls;
  const connection = new Connection(near, { calls, welcome: WELCOME, token: undefined });
  connection.ended("a", { ok: true, result: "x".repeat(MAX_FRAME_BYTES) });
  connection.ended("b", { ok: true, result: "small" });
  const decode = frameDecoder();
  const heard: unknown[] = [];
  far.on("data", (bytes: Buffer) =>
    heard.push(...decode(bytes).map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)))),
  );
  const message = "The answer is too large to be sent.";
  await expect
    .poll(() => heard)
    .toEqual([
      { type: "ended", id: "a", outcome: { ok: false, error: { code: "answer_too_large", message, details: {} } } },
      { type: "ended", id: "b", outcome: { ok: true, result: "small" } },
    ]);
  connection.close();
});
