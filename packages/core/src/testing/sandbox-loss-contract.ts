import type { AppError } from "@handrail/protocol/errors";
import { describe, expect, test } from "vitest";
import type { Sandbox, SandboxBackend } from "../ports/sandbox.ts";
import { benchOf } from "./bench-of.ts";
import { type Leftovers, thingsIn } from "./leftovers.ts";
import { type BackendBench, type BackendUnderTest, freshConversation, NO_NETWORK, run } from "./sandbox-bench.ts";

/** How a suite gets at a backend whose daemon it may end. */
export type DaemonUnderTest = BackendUnderTest & {
  /** Ends the daemon as a crash does. */
  readonly killDaemon: () => Promise<void>;
  /** Starts it again, and waits until it answers. */
  readonly startDaemon: () => Promise<void>;
  /** What goes on without it: nothing, sandboxes, or the connections to them too. */
  readonly outlives: "nothing" | "sandboxes" | "connections";
  /** A backend of an installation that waits for a daemon that is away, and what it says then. Absent: none does. */
  readonly waiting?: { readonly open: (installation: string) => Promise<SandboxBackend>; readonly says: RegExp };
  readonly leftovers: (installation: string) => Promise<Leftovers>;
};

type Bench = DaemonUnderTest & BackendBench;

const AWAY = { code: "backend_unavailable" };
const PATIENCE_MS = 60_000;

/** What every backend with a daemon must do when that crashes and comes back. */
export function sandboxLossContract(name: string, make: () => Promise<DaemonUnderTest>): void {
  describe(`${name}, when the daemon is killed and comes back`, () => {
    const bench = benchOf(make);
    telling(bench);
    ending(bench);
    goingOn(bench);
  });
}

/**
 * The part of it that depends on what becomes of sandboxes: for a daemon that is tested whole, and can be started so that another
 * thing becomes of them.
 */
export function sandboxReturnContract(name: string, make: () => Promise<DaemonUnderTest>): void {
  describe(`${name}, when the daemon is killed and comes back`, () => goingOn(benchOf(make)));
}

function telling(bench: () => Bench): void {
  test("it is told with what to do, nobody is told that something is gone, and what could not start starts later", async () => {
    const { open, within, outlives } = bench();
    const { installation, backend, start, expectNothingLeft } = await serverOf(bench());
    const [there, refused, early] = [freshConversation(), freshConversation(), freshConversation()];
    const sandbox = await start(there);
    await run(bench(), sandbox, "echo kept > file");
    // As a server is that was started before the daemon.
    const anew = await open(installation);
    await whileAway(bench(), async () => {
      const { detail, ...health } = await backend.health(within(20_000));
      const sentence = expect.stringMatching(/^\S.*\.$/);
      expect(health).toEqual({ name: backend.name, works: false, remedy: sentence, profiles: [] });
      const away = { ...AWAY, message: expect.stringContaining(detail) };
      await expect(start(refused)).rejects.toMatchObject(away);
      await expect(start(early, anew)).rejects.toMatchObject(away);
      expect(await backend.hasWorkspace(there).catch(codeOf)).toSatisfy((told) => told === true || told === AWAY.code);
      const found = await backend.find(there, within(20_000)).catch(codeOf);
      expect(found).toBe(outlives === "connections" ? sandbox : AWAY.code);
    });
    expect(await backend.health(within(20_000))).toMatchObject({ works: true });
    expect(await run(bench(), await start(there), "cat file")).toEqual({ exitCode: 0, output: "kept\n" });
    await expectBounded(bench(), await start(refused));
    await expectBounded(bench(), await start(early, anew));
    await anew.close();
    await expectNothingLeft();
  });
}

function ending(bench: () => Bench): void {
  test("what is asked to end meanwhile says that it was not done, and is done by the next one who tidies up", async () => {
    const { within } = bench();
    const { backend, start, expectNothingLeft } = await serverOf(bench());
    const [stopped, removed, left] = [freshConversation(), freshConversation(), freshConversation()];
    const sandbox = await start(stopped);
    await run(bench(), sandbox, "echo kept > file");
    await Promise.all([removed, left].map((conversationId) => start(conversationId)));
    await whileAway(bench(), async () => {
      await expect(backend.stop(stopped)).rejects.toMatchObject(AWAY);
      await expect(backend.remove(removed)).rejects.toMatchObject(AWAY);
      await expect(backend.collect(new Set([stopped, removed]))).rejects.toMatchObject(AWAY);
    });
    await backend.stop(stopped);
    await backend.collect(new Set([stopped]));
    for (const conversationId of [stopped, removed, left]) {
      expect(await backend.find(conversationId, within(20_000))).toBeUndefined();
      expect(await backend.hasWorkspace(conversationId)).toBe(conversationId === stopped);
    }
    const again = await start(stopped);
    expect(again.bootId).not.toBe(sandbox.bootId);
    expect(await run(bench(), again, "cat file")).toEqual({ exitCode: 0, output: "kept\n" });
    await expectBounded(bench(), again);
    await expectNothingLeft();
  });
}

function goingOn(bench: () => Bench): void {
  test("a call under way is answered once by the same sandbox, or that is gone and starts again on its files", async () => {
    const { waiting, outlives } = bench();
    const { start, said, expectNothingLeft } = await serverOf(bench(), waiting?.open);
    const conversationId = freshConversation();
    const sandbox = await start(conversationId);
    const waits = "echo once >> count; until [ -e go ]; do sleep 0.1; done; cat count";
    const answer = run(bench(), sandbox, waits, PATIENCE_MS).catch(codeOf);
    await run(bench(), sandbox, "until [ -e count ]; do sleep 0.1; done");
    said.length = 0;
    let starting: Promise<Sandbox> | undefined;
    await whileAway(bench(), async () => {
      if (outlives === "connections") await run(bench(), sandbox, "echo > go");
      if (waiting === undefined) return;
      starting = start(conversationId);
      await expect.poll(() => said).toEqual([expect.stringMatching(waiting.says)]);
    });
    const again = await (starting ?? start(conversationId));
    if (outlives === "nothing") {
      expect(await answer).toBe("sandbox_gone");
      expect(await sandbox.gone).toMatch(/\.$/);
      expect(again.bootId).not.toBe(sandbox.bootId);
      expect(said.at(-1)).toBe("Starting the sandbox.");
    } else {
      expect(again.bootId).toBe(sandbox.bootId);
      await run(bench(), again, "echo > go");
      expect(await answer).toEqual({ exitCode: 0, output: "once\n" });
    }
    expect(await run(bench(), again, "cat count")).toEqual({ exitCode: 0, output: "once\n" });
    await expectNothingLeft();
  });
}

/** A server of a new installation. */
async function serverOf({ open, leftovers, within }: Bench, openIt: DaemonUnderTest["open"] = open) {
  const installation = `t${freshConversation().slice(-8)}`;
  const backend = await openIt(installation);
  const said: string[] = [];
  return {
    installation,
    backend,
    /** What was said of starts. */
    said,
    start: (conversationId: string, on = backend) => {
      const choice = { backend: backend.name, network: NO_NETWORK } as const;
      const spec = { conversationId, choice, seedDirectory: undefined };
      return on.start(spec, (text) => said.push(text), within(PATIENCE_MS));
    },
    /** Forgets all that there is, and ends. */
    expectNothingLeft: async () => {
      await backend.collect(new Set());
      await backend.close();
      await expect.poll(async () => thingsIn(await leftovers(installation))).toEqual([]);
    },
  };
}

/** The daemon is back when this ends. */
async function whileAway({ killDaemon, startDaemon }: Bench, work: () => Promise<void>): Promise<void> {
  await killDaemon();
  try {
    await work();
  } finally {
    await startDaemon();
  }
}

/** That a workspace holds no more than it may, where that can be. */
async function expectBounded(bench: Bench, sandbox: Sandbox): Promise<void> {
  const { diskBytes } = bench.limits;
  if (diskBytes === undefined) return;
  const filled = await run(bench, sandbox, `head -c ${diskBytes * 2} /dev/zero > full`, PATIENCE_MS);
  expect(filled.output).toMatch(/No space left/);
}

const codeOf = (thrown: AppError) => thrown.code;
