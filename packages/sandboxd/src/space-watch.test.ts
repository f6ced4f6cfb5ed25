import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Handlers } from "./handlers.ts";
import { spaceWatch } from "./space-watch.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const MIB = 1024 ** 2;

/** A disk with so much space, of which 512 MiB are to stay free. `seen` are how much was free when something was done. */
function setUp(mib: number) {
  const disk = { mib };
  const seen: string[] = [];
  const note = (what: string) => seen.push(`${what} at ${disk.mib}`);
  let looks = 0;
  const watch = spaceWatch({
    bytes: 512 * MIB,
    free: () => (looks++, disk.mib * MIB),
    endPrograms: () => note("ended programs"),
    leave: (why) => note(why),
  });
  const pass = (ms: number, left = disk.mib) => {
    disk.mib = left;
    vi.advanceTimersByTime(ms);
  };
  /** How often it looks in a minute. */
  const looksAt = (left: number) => {
    pass(60_000, left);
    looks = 0;
    pass(60_000);
    return looks;
  };
  return { watch, seen, pass, looksAt };
}

test("it looks the sooner, the less is free: programs cannot take what is above the mark between two looks", () => {
  const { looksAt, seen } = setUp(100_000);
  expect([1_000_000, 26_112, 5632, 768].map(looksAt)).toEqual([12, 60, 300, 6000]);
  expect(seen).toEqual([]);
});

test("programs are ended when too little is free, and again when more has gone, but not while they make room", () => {
  const { pass, seen } = setUp(10_000);
  for (const left of [600, 512, 511, 511, 500, 490, 495, 700, 600, 510, 505]) pass(5_000, left);
  expect(seen).toEqual([511, 490, 510].map((left) => `ended programs at ${left}`));
});

test("below half of that the sandbox itself is ended, or does not start", () => {
  const why =
    "The disk that the workspace is on is nearly full: less than 256 MiB or 8192 files are free for all that is on it.";
  const { pass, seen } = setUp(256);
  pass(10, 255);
  expect(seen).toEqual(["ended programs at 256", `${why} The sandbox was ended. at 255`]);
  expect(setUp(255).seen).toEqual([`${why} The sandbox was ended. at 255`]);
});

test("a call whose programs were ended says so, as does the next that asks after them; others go on", async () => {
  const { watch, pass } = setUp(10_000);
  let running = Promise.withResolvers<string>();
  const names = ["process.run", "terminal.run", "terminal.wait", "terminal.send", "file.read"] as const;
  type Name = (typeof names)[number];
  const handlers = Object.fromEntries(names.map((name) => [name, () => running.promise])) as unknown as Handlers;
  const watched = watch.watch(handlers) as unknown as Readonly<Record<Name, () => Promise<string>>>;
  /** What a call gives under which so much is left. */
  const call = (name: Name, left: number) => {
    running = Promise.withResolvers();
    const answer = watched[name]().catch((thrown: unknown) => thrown);
    pass(5_000, left);
    running.resolve("done");
    return answer;
  };
  const full = {
    code: "disk_full",
    message:
      "The disk that the workspace is on is nearly full: less than 512 MiB or 16384 files are free for all that is on it. What ran in the sandbox was ended. Remove files that are not needed before you go on.",
  };
  for (const name of names) {
    expect(await call(name, 10_000)).toBe("done");
    const answer = await call(name, 500);
    if (name === "file.read") expect(answer).toBe("done");
    else expect(answer).toMatchObject(full);
  }
  expect(await call("terminal.run", 500)).toBe("done");
  expect(await call("terminal.wait", 500)).toMatchObject(full);
  expect(await call("terminal.wait", 500)).toBe("done");
});
