import { applyTranscript, NO_TRANSCRIPT } from "@handrail/protocol/transcript";
import { expect, test } from "vitest";
import { describeMarker } from "./describe-marker.ts";

test("a run's end says how it ended and after how long", () => {
  const ended = { type: "run.ended", runId: "r", detail: "The key was refused." } as const;
  expect(describeMarker({ event: { ...ended, outcome: "failed" }, tookMs: 3200 })).toEqual({
    tone: "bad",
    text: "Failed after 3.2 s: The key was refused.",
  });
  expect(describeMarker({ event: { ...ended, outcome: "cancelled" }, tookMs: null }).text).toBe("Stopped by you");
});

test("a limit is told with its name, its value and its unit", () => {
  const text = (limit: "maxCostUsd" | "maxTimeMs" | "maxTokens", value: number, max: number) =>
    describeMarker({ event: { type: "limit.reached", scope: "run", limit, value, max }, tookMs: null }).text;
  expect(text("maxCostUsd", 5.01, 5)).toBe("Limit reached: cost of the run, $5.01 of $5.00");
  expect(text("maxTimeMs", 3_600_000, 3_600_000)).toBe("Limit reached: time of the run, 1 h of 1 h");
  expect(text("maxTokens", 1_200_000, 1_000_000)).toBe("Limit reached: tokens of the run, 1.2M of 1.0M");
});

test("changed settings are told one by one", () => {
  const event = {
    type: "conversation.configured",
    network: { type: "allow", presets: ["git"], hosts: ["a.org"] },
    runLimits: { maxSteps: 40 },
  } as const;
  const { presets, hosts } = event.network;
  const network = { type: "allow" as const, presets: [...presets], hosts: [...hosts] };
  expect(describeMarker({ event: { ...event, network }, tookMs: null }).text).toBe(
    "Settings changed: git hosts, 1 host; each run at most 40 steps",
  );
});

test("an answer says what it is about", () => {
  const asked = { host: "a.example", port: 443, method: "GET", path: "/v1", reason: "host_not_allowed" } as const;
  const events = [
    { type: "network.asked", askId: "n_1", ...asked },
    { type: "network.asked", askId: "n_2", ...asked, host: "b.example" },
    { type: "network.answered", askId: "n_1", answer: "here" },
  ] as const;
  const stored = events.map((event, seq) => ({ seq, at: 0, event }));
  const [last] = applyTranscript(NO_TRANSCRIPT, stored).items.slice(-1);
  expect(last?.kind === "marker" && describeMarker(last).text).toBe("GET a.example/v1: allowed in this conversation");
});

test("a failed set-up tells what went wrong, not where its log is", () => {
  const ended = { type: "setup.ended", outcome: "failed", command: "npm ci", origin: "repository" } as const;
  const text = (output: string) =>
    describeMarker({ event: { ...ended, exitCode: 1, output, durationMs: 900, kept: false }, tookMs: null }).text;
  const log = "npm error A complete log of this run can be found in: /home/.npm/_logs/1.log";
  expect(text(`added 3\nnpm error code EUSAGE\nnpm error The lock file is old.\n${log}\n`)).toBe(
    "Set-up failed: npm ci · exit 1 · 900 ms · npm error code EUSAGE. The conversation goes on without it",
  );
  expect(text("first\nlast\n")).toBe(
    "Set-up failed: npm ci · exit 1 · 900 ms · last. The conversation goes on without it",
  );
  expect(text("")).toBe("Set-up failed: npm ci · exit 1 · 900 ms. The conversation goes on without it");
});
