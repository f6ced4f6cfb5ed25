import { access, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeptConversations } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { conversationPlace, writeRecord } from "./conversation-place.ts";
import { type Launched, localBackend, type LocalRunner, type LocalStart } from "./local-backend.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "handrail-local-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A runner whose sandboxes run, says it, and call `onLook` when somebody asks. */
const running = (onLook: () => Promise<void>): LocalRunner => ({
  name: "none",
  uidOf: async () => undefined,
  health: async () => ({ name: "none", works: true, detail: "", profiles: [] }),
  bound: async () => undefined,
  launch: () => Promise.reject(new Error("nothing is started")),
  isAlive: async () => {
    await onLook();
    return true;
  },
  kill: async () => undefined,
});

async function knownSandbox() {
  const conversationId = newId("c", Date.now());
  const place = conversationPlace(directory, conversationId);
  await mkdir(place.links, { recursive: true });
  await writeRecord(place, { sandboxId: newId("x", Date.now()), profile: "default" });
  return { conversationId, socketsOf: () => readdir(place.links, { recursive: true }) };
}

const within = () => AbortSignal.timeout(5_000);
const stopping = { code: "backend_unavailable", message: "The server is stopping." };

test("a backend that was closed opens no socket for a sandbox that runs", async () => {
  const { conversationId, socketsOf } = await knownSandbox();
  const backend = localBackend(
    running(async () => undefined),
    { directory, egress: () => undefined },
  );
  await backend.close();
  await expect(backend.find(conversationId, within())).rejects.toMatchObject(stopping);
  expect(await socketsOf()).toEqual([]);
});

test("a backend that is closed while a sandbox is looked for leaves no socket", async () => {
  const { conversationId, socketsOf } = await knownSandbox();
  const backend = localBackend(
    running(() => backend.close()),
    { directory, egress: () => undefined },
  );
  await expect(backend.find(conversationId, within())).rejects.toMatchObject(stopping);
  expect(await socketsOf()).toEqual([]);
});

/** Starts a sandbox whose runner launches it so; tells what was done, in order, and what sockets are left. */
async function started(launch: (done: string[], start: LocalStart) => Promise<Launched>) {
  const conversationId = newId("c", Date.now());
  const done: string[] = [];
  const runner: LocalRunner = {
    ...running(async () => undefined),
    launch: (start) => launch(done, start),
    kill: async () => void done.push("killed"),
  };
  const backend = localBackend(runner, { directory, egress: () => undefined });
  const choice = { backend: "none", network: { type: "none" } } as const;
  const spec = { conversationId, choice, seedDirectory: undefined };
  const failure = await backend.start(spec, () => undefined, within()).catch((thrown: unknown) => thrown);
  const left = await readdir(conversationPlace(directory, conversationId).links, { recursive: true });
  await backend.close();
  return { done, failure, sockets: left.filter((name) => name.endsWith(".sock")) };
}

test("a sandbox is launched while its workspace is made, and what failed is taken away once that is there", async () => {
  const failure = new AppError("sandbox_failed", "no");
  const { done, ...rest } = await started(async (done, { furnished, place }) => {
    done.push((await isThere(place.workspace)) ? "workspace before" : "launched");
    furnished.then(
      () => done.push("workspace"),
      () => undefined,
    );
    throw failure;
  });
  expect(rest).toEqual({ failure, sockets: [] });
  expect(done).toEqual(["launched", "workspace", "killed"]);
});

test("a start that fails has let go of what it took of the host", async () => {
  const failure = new AppError("sandbox_failed", "It ended.");
  const { done, ...rest } = await started(async (done) => ({
    failed: Promise.resolve(failure),
    release: () => void done.push("released"),
    settled: Promise.resolve().then(() => void done.push("settled")),
  }));
  expect(rest).toEqual({ failure, sockets: [] });
  expect(done).toEqual(["settled", "released", "killed"]);
});

test("a conversation whose sandbox cannot be ended keeps no other from being forgotten, nor what else the runner has", async () => {
  const home = await mkdtemp(join(tmpdir(), "handrail-collect-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const ids = Array.from({ length: 3 }, (_, at) => newId("c", Date.now() + at)).toSorted();
  const [stuck = "", , kept = ""] = ids;
  for (const [at, id] of ids.entries()) {
    const place = conversationPlace(home, id);
    await mkdir(place.links, { recursive: true });
    await writeRecord(place, { sandboxId: `x_${at}`, profile: "default" });
  }
  await mkdir(join(home, "not-ours"));
  const failure = new AppError("sandbox_failed", "The sandbox could not be ended.");
  const collected: KeptConversations[] = [];
  const runner: LocalRunner = {
    ...running(async () => undefined),
    kill: async (sandboxId) => (sandboxId === "x_0" ? Promise.reject(failure) : undefined),
    collect: async (keep) => void collected.push(keep),
  };
  const backend = localBackend(runner, { directory: home, egress: () => undefined });
  const keep = new Set([kept]);
  await expect(backend.collect(keep)).rejects.toBe(failure);
  expect([(await readdir(home)).toSorted(), collected]).toEqual([[stuck, kept, "not-ours"], [keep]]);
  await backend.close();
});

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
