import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { processName } from "../process-name.ts";
import { LABEL } from "./docker-names.ts";
import { isAtWork, madeHere } from "./makers.ts";

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;

const atWork = (maker: string | undefined, minutes: number, state = "created") =>
  isAtWork(
    { labels: maker === undefined ? {} : { [LABEL.maker]: maker }, state, createdAtMs: NOW - minutes * MINUTE_MS },
    NOW,
  );

async function ended(): Promise<string> {
  const module = new URL("../process-name.ts", import.meta.url).href;
  const program = `import { processName } from "${module}"; process.stdout.write(processName());`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [[said]] = (await Promise.all([once(child.stdout, "data"), once(child, "exit")])) as [[Buffer], unknown];
  return said.toString();
}

test("what a process makes is its work while it lives, though not for days", () => {
  expect(madeHere()).toEqual({ "handrail.maker": processName() });
  expect([0, 120, 60 * 25].map((minutes) => atWork(processName(), minutes))).toEqual([true, true, false]);
  expect([0, 50, 70].map((minutes) => atWork(processName(), minutes, "exited"))).toEqual([true, true, false]);
});

test("what a process made that has ended is nobody's work", async () => {
  expect(atWork(await ended(), 0)).toBe(false);
});

test("what a process made that may live elsewhere is its work for an hour", () => {
  expect([0, 50, 70].map((minutes) => atWork("elsewhere/1/2", minutes))).toEqual([true, true, false]);
  expect([0, 50, 70].map((minutes) => atWork(undefined, minutes))).toEqual([true, true, false]);
});
