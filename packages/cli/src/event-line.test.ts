import type { EventOf } from "@handrail/protocol/events";
import { expect, test } from "vitest";
import { RunPrinter } from "./run-printer.ts";
import { capturedScreen } from "./testing/captured-screen.ts";

const ENDED = {
  type: "setup.ended",
  outcome: "ok",
  command: "npm ci",
  origin: "conversation",
  exitCode: 0,
  output: "",
  durationMs: 2000,
  kept: false,
} as const satisfies EventOf<"setup.ended">;

test("a set-up is told: what runs, how it ended, and whether its result is kept", () => {
  const screen = capturedScreen();
  const printer = new RunPrinter(screen);
  const events: readonly EventOf<"setup.started" | "setup.ended">[] = [
    { type: "setup.started", callId: "k_0123456789abcdefghjk", bootId: "b", command: "npm ci", origin: "conversation" },
    { ...ENDED, kept: true },
    { ...ENDED, notKept: "It wrote elsewhere." },
    { ...ENDED, outcome: "reused", exitCode: null, kept: true, reused: { at: 1, ranMs: 9000, files: 3, bytes: 90 } },
    { ...ENDED, outcome: "failed", exitCode: 3, output: "out of\u001b[2J luck" },
    { ...ENDED, outcome: "limited", exitCode: null },
  ];
  for (const [seq, event] of events.entries()) printer.event({ seq, at: 0, event });
  printer.end();
  expect(screen.written.out.split("\n").map((line) => line.trim())).toEqual([
    "setting up: npm ci",
    "set up in 2.0 s, kept for later conversations",
    "set up in 2.0 s. It wrote elsewhere.",
    "set up from an earlier conversation in 2.0 s",
    "set-up failed (exit 3) after 2.0 s: out of luck",
    "set-up limited after 2.0 s:",
    "",
  ]);
});

test("an answer is told with what was asked for, as plain text", () => {
  const screen = capturedScreen();
  const printer = new RunPrinter(screen);
  const askId = (number: number) => `n_0000000000000000000${number}`;
  const asked = { type: "network.asked", port: 443, method: "CONNECT", reason: "host_not_allowed" } as const;
  const events: readonly EventOf<"network.asked" | "network.answered">[] = [
    { ...asked, askId: askId(1), host: "a.example" },
    { ...asked, askId: askId(2), host: "b.example", port: 8080, method: "POST", path: "/v1/\u001b[2J" },
    { type: "network.answered", askId: askId(2), answer: "deny" },
    { type: "network.answered", askId: askId(1), answer: "always", scope: "owner" },
    { type: "network.answered", askId: askId(3), answer: "once" },
  ];
  for (const [seq, event] of events.entries()) printer.event({ seq, at: 0, event });
  printer.end();
  expect(screen.written.out.split("\n").map((line) => line.trim())).toEqual([
    "the sandbox asks for a.example; answer in the page, or with: handrail answer",
    "the sandbox asks for POST b.example:8080/v1/; answer in the page, or with: handrail answer",
    "network: deny, for POST b.example:8080/v1/",
    "network: always, for a.example",
    "network: once",
    "",
  ]);
});
