import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { requestBody } from "./commands/run.ts";
import { UsageError } from "./exit-codes.ts";
import { runCli } from "./run-cli.ts";
import { capturedScreen } from "./testing/captured-screen.ts";

const folder = mkdtempSync(path.join(tmpdir(), "handrail-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...argv: string[]) {
  const screen = capturedScreen();
  const interrupts = { signal: new AbortController().signal, release: () => {} };
  const code = await runCli(argv, { screen, cwd: folder, home: folder, interrupts });
  return { code, ...screen.written };
}

test.each([
  [["bogus"], "unknown command 'bogus'"],
  [["run"], "missing required argument 'task'"],
  [["run", "x", "--nope"], "unknown option '--nope'"],
  [["run", "x", "--timeout", "soon"], "Give a time such as 90s"],
  [["run", "x", "--max-cost", "free"], "Give an amount of US dollars"],
  [["run", "x", "--max-steps", "0"], "Give a whole number from 1"],
  [["run", "x", "--sandbox", "vm"], "Allowed choices are docker, process, containerd, none"],
  [["run", "x", "--network", "http://x"], "is not a host name"],
  [["run", "x"], "--repo DIR or --repo URL"],
  [["run", " ", "--repo", "demo"], "Say what to do"],
  [["run", "x", "--repo", "demo", "--apply"], "--apply needs a folder"],
  [["run", "x", "--repo", ".", "--apply", "--output", "a"], "either --apply or --output"],
  [["export", "c_1", "--format", "pdf"], "Allowed choices are jsonl, markdown"],
])("%j is refused with 2 and says what to give", async (argv, sentence) => {
  const { code, out, err } = await run(...argv);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(sentence);
});

test.each(["run", "list", "show", "resume", "export", "doctor", "open", "backup"])(
  "%s --help exits 0 and says what the exit codes mean",
  async (command) => {
    const { code, out, err } = await run(command, "--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/Exit codes:\n +0 +done\n +1 +failed.*\n +2 .*\n +3 +a limit.*\n +130 +interrupted/);
  },
);

test("open says so when no server runs", async () => {
  expect(await run("open")).toEqual({
    code: 1,
    out: "",
    err: "No server is running here. Start one with: npm start (server_unreachable)\n",
  });
});

test("the options of run become the conversation that is asked for", () => {
  const options = {
    repo: folder,
    model: "demo",
    team: "core",
    sandbox: "process",
    image: "debian:12",
    profile: "strict",
    network: { type: "none" },
    maxCost: 0.5,
    maxSteps: 3,
    maxTokens: 1000,
    timeout: 60_000,
  } as const;
  expect(requestBody("Fix it", options, "/")).toEqual({
    source: { type: "folder", path: folder },
    content: [{ type: "text", text: "Fix it" }],
    model: "demo",
    teamId: "core",
    sandbox: { backend: "process", image: "debian:12", profile: "strict", network: { type: "none" } },
    runLimits: { maxCostUsd: 0.5, maxSteps: 3, maxTokens: 1000, maxTimeMs: 60_000 },
  });
  expect(requestBody("Fix it", { repo: "empty" }, "/")).toEqual({
    source: { type: "empty" },
    content: [{ type: "text", text: "Fix it" }],
    sandbox: {},
  });
  const setups = [{}, { setup: "npm ci" }, { setup: false } as const];
  expect(setups.map((setup) => requestBody("Fix it", { repo: "empty", ...setup }, "/").setup)).toEqual([
    undefined,
    { type: "command", command: "npm ci" },
    { type: "none" },
  ]);
  expect(() => requestBody("", { repo: "empty" }, "/")).toThrow(UsageError);
});
