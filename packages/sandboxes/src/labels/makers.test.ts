import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { processName } from "../process-name.ts";
import { madeNames } from "./made-names.ts";
import { isAtWork, lockedMakers, type Makers, processMakers } from "./makers.ts";

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;

const judgedBy =
  (makers: Makers) =>
  (maker: string | undefined, minutes: number, state = "created") =>
    isAtWork(makers, { maker, state, createdAtMs: NOW - minutes * MINUTE_MS }, NOW);
const atWork = judgedBy(processMakers());

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
  expect(madeNames("a").madeHere()).toEqual({ "handrail.maker": processName() });
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

const HELD = { lock: "1234-5", holding: "b" };

test("what a holder of this process's lock made before it is nobody's work, wherever that one ran", () => {
  expect(madeNames("a", HELD).madeHere()).toEqual({ "handrail.maker": "1234-5#b" });
  const seen = judgedBy(lockedMakers(HELD));
  expect([0, 120, 60 * 25].map((minutes) => seen("1234-5#b", minutes))).toEqual([true, true, false]);
  expect(seen("1234-5#a", 0)).toBe(false);
});

test("a holder of another lock may live, also of one that this was copied from", () => {
  const seen = judgedBy(lockedMakers(HELD));
  expect([0, 50, 70].map((minutes) => seen("1234-6#a", minutes))).toEqual([true, true, false]);
});

test("makers from before there was a lock are told by their processes", async () => {
  const seen = judgedBy(lockedMakers(HELD));
  expect([seen(processName(), 120), seen(await ended(), 0), seen("elsewhere/1/2", 50)]).toEqual([true, false, true]);
});
