import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CallContext } from "../handlers.ts";
import { snapshotOperations } from "./snapshot-operations.ts";

const RULES = { maxFileBytes: 100_000, maxTotalBytes: 10_000_000 };
const CALL: CallContext = { id: "k", signal: new AbortController().signal, feed: () => {} };
const DIRECTORIES = 10;
/** When it is written down, after the last operation that changed what is known. */
const DUE_MS = 500;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "handrail-write-down-"));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  // Each look at the clock is a long time after the one before: work rests at every file.
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 100));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

test("what is known is not written down while another operation works, but after it", async () => {
  const [workspace, state] = [join(directory, "workspace"), join(directory, "state")];
  mkdirSync(state);
  for (let number = 0; number < DIRECTORIES; number++) {
    mkdirSync(join(workspace, `d${number}`), { recursive: true });
    writeFileSync(join(workspace, `d${number}`, "file"), String(number));
  }
  const operations = snapshotOperations({ workspace }, state);
  const take = () => operations["snapshot.take"]({ base: null, ...RULES }, CALL);
  const { root } = await take();
  await operations["snapshot.keep"]({ root }, CALL);

  const written = () => existsSync(join(state, "snapshot.json"));
  const working = take();
  await turn();
  vi.advanceTimersByTime(DUE_MS);
  await working;
  await turns(DIRECTORIES);
  expect(written()).toBe(false);

  vi.advanceTimersByTime(DUE_MS);
  await turns(2 * DIRECTORIES);
  expect(written()).toBe(true);
});

async function turns(count: number): Promise<void> {
  for (let number = 0; number < count; number++) await turn();
}
