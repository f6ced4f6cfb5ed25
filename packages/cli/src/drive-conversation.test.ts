import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Client } from "@handrail/client/create-client";
import { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { driveConversation } from "./drive-conversation.ts";
import { Interrupted } from "./interrupts.ts";
import type { Reached } from "./reach-server.ts";
import type { OutcomeOptions } from "./run-options.ts";
import { capturedScreen } from "./testing/captured-screen.ts";
import { CONVERSATION, RECORDED_RUN } from "./testing/recorded-run.ts";

let cwd = "";
beforeEach(() => (cwd = mkdtempSync(path.join(tmpdir(), "handrail-drive-"))));
afterEach(() => rmSync(cwd, { recursive: true }));

const PATCH = "diff --git a/src/sum.ts b/src/sum.ts\n";

/** A server that plays these events, and on a stop ends the run as cancelled. */
function scriptedServer(events: readonly StoredEvent[], client: Partial<Client> = {}) {
  const stopped: string[] = [];
  let tell: (events: readonly StoredEvent[]) => void = () => {};
  const server: Reached = {
    url: "http://localhost",
    own: false,
    client: {
      patch: async () => new Response(PATCH),
      changes: async () => ({ changes: [], live: true }),
      deliver: async () => ({ kind: "applied", ref: "/home/me/project", files: 1 }),
      stopRun: async ({ params }: { params: { id: string } }) => {
        stopped.push(params.id);
        tell([ended("cancelled", events.length)]);
        return {};
      },
      ...client,
    } as unknown as Client,
    openSocket: () => ({
      subscribe(_id, after, watcher) {
        tell = (list) => watcher.onEvents(list);
        queueMicrotask(() => tell(events.filter(({ seq }) => seq > after)));
        return () => {};
      },
      openTerminal: () => {
        throw new Error("not asked for");
      },
      retryNow: () => {},
      close: () => {},
    }),
  };
  return { server, stopped };
}

function ended(outcome: "done" | "asked" | "failed" | "cancelled" | "limited", seq: number): StoredEvent {
  return { seq, at: seq, event: { type: "run.ended", runId: "r_0123456789abcdefghjk", outcome, detail: "" } };
}

async function drive(server: Reached, options: OutcomeOptions, signal = new AbortController().signal) {
  const screen = capturedScreen();
  let code = -1;
  const interrupts = { signal, release: () => {} };
  const context = { screen, cwd, home: cwd, interrupts, exit: (value: number) => (code = value) };
  await driveConversation(context, server, async () => ({ conversationId: CONVERSATION, after: -1 }), options);
  return { code, ...screen.written };
}

test.each([
  ["done", 0],
  ["asked", 1],
  ["failed", 1],
  ["limited", 3],
  ["cancelled", 130],
] as const)("a run that ends as %s exits %i", async (outcome, code) => {
  const { server } = scriptedServer([ended(outcome, 0)]);
  expect((await drive(server, {})).code).toBe(code);
});

test("the end of the run is the last that is told, also when more came with it", async () => {
  const { server } = scriptedServer([ended("done", 0), ended("failed", 1)]);
  const { code, out } = await drive(server, { json: true });
  expect([code, out]).toEqual([0, `${JSON.stringify(ended("done", 0))}\n`]);
});

test.each([
  [
    "a patch",
    async () => new Response(PATCH),
    /^The changes are in .*\nLeft out.*: sparse \(3,072 MiB\) and 1 more\.\n$/,
  ],
  [
    "nothing",
    async () => {
      throw new AppError("nothing_changed", "Nothing.");
    },
    /^No file was changed\.\nLeft out.*: sparse \(3,072 MiB\) and 1 more\.\n$/,
  ],
] as const)("beside %s it is said what was left out of the result", async (_, patch, expected) => {
  const leftOut = { files: [{ path: "sparse", reason: "large" as const, bytes: 3 * 1024 ** 3 }], count: 2 };
  const { server } = scriptedServer([ended("done", 0)], {
    patch,
    changes: async () => ({ changes: [], live: true, leftOut }),
  });
  expect((await drive(server, { json: true })).err).toMatch(expected);
});

test("with --json every line on stdout is an event, and the rest is said on stderr", async () => {
  const { server } = scriptedServer(RECORDED_RUN);
  const { out, err } = await drive(server, { json: true });
  const lines = out.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(RECORDED_RUN);
  const file = path.join(cwd, `${CONVERSATION}.patch`);
  expect(err).toBe(
    `The changes are in ${file}. Apply them with: git apply ${CONVERSATION}.patch\n` +
      `Go on with: handrail resume ${CONVERSATION}\n`,
  );
  expect(readFileSync(file, "utf8")).toBe(PATCH);
});

test("--output names the patch", async () => {
  const { server } = scriptedServer([ended("done", 0)]);
  await drive(server, { output: "my.patch" });
  expect(readFileSync(path.join(cwd, "my.patch"), "utf8")).toBe(PATCH);
});

test("--apply applies a run that is done, and keeps the patch of one that is not", async () => {
  const done = await drive(scriptedServer([ended("done", 0)]).server, { apply: true });
  expect(done.out).toContain("Applied to /home/me/project: 1 file.");
  expect(readdirSync(cwd)).toEqual([]);
  const failed = await drive(scriptedServer([ended("failed", 0)]).server, { apply: true });
  expect(failed.out).toContain("Not applied, because the run did not end well.");
  expect(readdirSync(cwd)).toEqual([`${CONVERSATION}.patch`]);
});

test("when nothing was changed no file is written", async () => {
  const patch = () => Promise.reject(new AppError("nothing_changed", "Nothing differs from the start."));
  const { out } = await drive(scriptedServer([ended("done", 0)], { patch }).server, {});
  expect(out).toContain("No file was changed.");
  expect(readdirSync(cwd)).toEqual([]);
});

test("a result that cannot be taken out fails a run that is done, and is said of one that is not", async () => {
  const patch = () => Promise.reject(new AppError("sandbox_gone", "The workspace is gone."));
  const done = await drive(scriptedServer([ended("done", 0)], { patch }).server, {});
  const limited = await drive(scriptedServer([ended("limited", 0)], { patch }).server, {});
  expect([done.code, limited.code]).toEqual([1, 3]);
  expect(done.err).toBe("The changes could not be taken out: The workspace is gone. (sandbox_gone)\n");
  expect(limited.out).toContain(`Go on with: handrail resume ${CONVERSATION}`);
});

test("a question says how to answer it", async () => {
  const { out } = await drive(scriptedServer([ended("asked", 0)]).server, {});
  expect(out).toContain(`Answer with: handrail resume ${CONVERSATION} "your answer"`);
});

test("an interrupt stops the run, waits for its end and exits 130", async () => {
  const { server, stopped } = scriptedServer(RECORDED_RUN.slice(0, 8));
  const controller = new AbortController();
  const driven = drive(server, {}, controller.signal);
  controller.abort(new Interrupted());
  expect((await driven).code).toBe(130);
  expect(stopped).toEqual([CONVERSATION]);
});
