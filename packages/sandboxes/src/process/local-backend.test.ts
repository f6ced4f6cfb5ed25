import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conversationPlace, writeRecord } from "./conversation-place.ts";
import { localBackend, type LocalRunner } from "./local-backend.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "handrail-local-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A runner whose sandboxes run, says it, and call `onLook` when somebody asks. */
const running = (onLook: () => Promise<void>): LocalRunner => ({
  name: "none",
  ownUsers: false,
  health: async () => ({ name: "none", works: true, detail: "" }),
  diskBytes: async () => undefined,
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
  const backend = localBackend(running(async () => undefined), { directory, egress: () => undefined });
  await backend.close();
  await expect(backend.find(conversationId, within())).rejects.toMatchObject(stopping);
  expect(await socketsOf()).toEqual([]);
});

test("a backend that is closed while a sandbox is looked for leaves no socket", async () => {
  const { conversationId, socketsOf } = await knownSandbox();
  const backend = localBackend(running(() => backend.close()), { directory, egress: () => undefined });
  await expect(backend.find(conversationId, within())).rejects.toMatchObject(stopping);
  expect(await socketsOf()).toEqual([]);
});
