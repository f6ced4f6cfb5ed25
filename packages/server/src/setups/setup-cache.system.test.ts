import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { EventOf, StoredEvent } from "@handrail/protocol/events";
import { newId } from "@handrail/protocol/ids";
import type { NetworkRule } from "@handrail/protocol/sources";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../clock.ts";
import { readConfig } from "../config.ts";
import { hostConversations, makeId } from "../compose/conversations.ts";
import { openState, type State } from "../compose/state.ts";
import { workspacesOf } from "../compose/workspaces.ts";
import { createConversation } from "../conversations/create-conversation.ts";
import { collectSetups, forgetSetups, listSetups } from "./setup-store.ts";

/** Without dependencies of their own. */
const PACKAGES = ["commander", "yaml"];
const INSTALLED = join(import.meta.dirname, "../../../../node_modules");
const Packed = z.object({ name: z.string(), version: z.string(), filename: z.string(), integrity: z.string() });
const WAIT = { timeout: 120_000 };

let directory: string;
let state: State;
let host: ReturnType<typeof hostConversations>;
const conversations: string[] = [];
const signal = () => AbortSignal.timeout(100_000);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "handrail-setups-"));
  const config = readConfig(["--home", join(directory, "home"), "--log-level", "silent", "--sandbox", "process"], {});
  mkdirSync(config.home, { mode: 0o700 });
  state = await openState(config);
  host = hostConversations({ ...state, ...workspacesOf(config), ...config, warmSandboxes: 0 });
});
afterAll(async () => {
  for (const id of conversations) await host.sandboxes.remove(await host.journals.get(id));
  await state.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A repository of the machine with these files, committed. */
function repository(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(directory, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  execFileSync("git", ["init", "-q", "-b", "main", root]);
  commit(root);
  return root;
}

function commit(root: string): void {
  const author = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgSign=false"];
  execFileSync("git", ["-C", root, "add", "--all"]);
  execFileSync("git", ["-C", root, ...author, "commit", "-q", "-m", "files"]);
}

/** A new conversation with its workspace ready: what its log says of the set-up, and a shell in it. */
async function begin(path: string, { ownerId = "local", spare = false } = {}) {
  const network: NetworkRule = { type: "none" };
  const defaults = { image: undefined, limits: {}, runLimits: {}, unsandboxed: false, network } as const;
  const id = newId("c", Date.now());
  const choice = { backend: "process", network } as const;
  if (spare) {
    const spec = { conversationId: id, choice, seedDirectory: undefined };
    await (await state.backends.get("process")).start(spec, () => undefined, signal());
  }
  const parts = {
    ...state,
    checkSource: async () => undefined,
    defaults: { ...defaults, profile: "default", profiles: ["default"] } as const,
    wake: () => undefined,
    clock: systemClock,
    newId: makeId,
    claim: () => ({ id, spare, giveUp: () => undefined }),
  };
  const wanted = { ownerId, source: { type: "folder", path }, sandbox: choice } as const;
  await createConversation(parts, wanted, signal());
  conversations.push(id);
  const journal = await host.journals.get(id);
  const open = () => host.sandboxes.open(journal, () => undefined, signal());
  await open();
  const log = (await state.store.read(id, -1, 1000)).map((stored: StoredEvent) => stored.event);
  const ended = log.filter((event): event is EventOf<"setup.ended"> => event.type === "setup.ended");
  const shell = async (script: string) => {
    const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 100_000 };
    const { stdout, exitCode } = await (await open()).call("process.run", args, { signal: signal() });
    return { stdout, exitCode };
  };
  const changes = async () => (await (await open()).call("workspace.changes", {}, { signal: signal() })).changes;
  return { id, ended, shell, changes, started: log.filter(({ type }) => type === "setup.started").length };
}

/** A repository that depends on packages of this project's own installation, packed into it. */
function npmRepository(): string {
  const vendor = join(directory, "npm", "vendor");
  mkdirSync(vendor, { recursive: true });
  const packed = PACKAGES.map((name) => {
    const argv = ["pack", "--json", "--ignore-scripts", "--pack-destination", vendor, join(INSTALLED, name)];
    const [made] = z.tuple([Packed]).parse(JSON.parse(execFileSync("npm", argv, { encoding: "utf8", stdio: "pipe" })));
    return { ...made, resolved: `file:vendor/${made.filename}` };
  });
  const dependencies = Object.fromEntries(packed.map(({ name, resolved }) => [name, resolved]));
  const own = { name: "app", version: "1.0.0", dependencies };
  const locked = Object.fromEntries(
    packed.map(({ name, version, resolved, integrity }) => [`node_modules/${name}`, { version, resolved, integrity }]),
  );
  const lock = { name: "app", version: "1.0.0", lockfileVersion: 3, requires: true, packages: { "": own, ...locked } };
  return repository("npm", {
    "package.json": JSON.stringify(own),
    "package-lock.json": JSON.stringify(lock),
    ".gitignore": "node_modules\n",
    "index.js": "1\n",
    ".handrail/setup.sh": "npm ci --no-audit --no-fund\n",
  });
}

test("the second conversation on a repository starts with what a real npm ci installed", WAIT, async (context) => {
  if (!["/usr/bin/npm", "/usr/local/bin/npm"].some((path) => existsSync(path))) {
    return context.skip("npm is not among the system's programs, which are what a sandbox of bubblewrap has");
  }
  const root = npmRepository();
  const first = await begin(root);
  expect(first.ended).toMatchObject([{ outcome: "ok", exitCode: 0, kept: true, command: ".handrail/setup.sh" }]);
  expect(first.ended[0]?.output).toContain(`added ${PACKAGES.length} packages`);

  // The repository goes on; what the set-up depends on stays.
  writeFileSync(join(root, "index.js"), "2\n");
  commit(root);
  const second = await begin(root);
  expect(second).toMatchObject({
    started: 0,
    ended: [{ outcome: "reused", reused: { ranMs: first.ended[0]?.durationMs } }],
  });
  const used = await second.shell(`node -p "require('yaml').parse('2')"; cat index.js; git status --short`);
  expect(used).toEqual({ stdout: "2\n2\n", exitCode: 0 });
  expect(await second.changes()).toEqual([]);
});

test("a result is its owner's alone, is not what an agent did later, and goes when it is forgotten", WAIT, async () => {
  const root = repository("plain", {
    ".handrail/setup.sh": "mkdir out; echo made > out/file; ln -s file out/link\n",
    a: "1",
  });
  const first = await begin(root);
  expect(first.ended).toMatchObject([{ outcome: "ok", kept: true }]);
  await first.shell("echo poisoned > out/file; echo poison > out/more");

  const second = await begin(root, { spare: true });
  expect(second.ended).toMatchObject([{ outcome: "reused", reused: { files: 2, bytes: 5 } }]);
  expect(await second.shell("cat out/file; readlink out/link; ls out")).toMatchObject({
    stdout: "made\nfile\nfile\nlink\n",
  });

  const stranger = await begin(root, { ownerId: "u_stranger", spare: true });
  expect(stranger).toMatchObject({ started: 1, ended: [{ outcome: "ok" }] });

  const { lineages } = state.kept!;
  expect((await listSetups(lineages, "local")).filter(({ source }) => source === root)).toMatchObject([
    { command: ".handrail/setup.sh", files: 2 },
  ]);
  await state.kept!.collect(state.store);
  await forgetSetups(lineages, "u_stranger", undefined);
  expect(await listSetups(lineages, "u_stranger")).toEqual([]);
  expect((await begin(root)).ended).toMatchObject([{ outcome: "reused" }]);
  await collectSetups(lineages, 0, Date.now());
  expect(await listSetups(lineages, "local")).toEqual([]);
  expect((await lineages.ids()).filter((id) => id.startsWith("setup-"))).toEqual([]);
  expect((await begin(root)).ended).toMatchObject([{ outcome: "ok" }]);
});

test("a result is kept though everything that nothing holds on to is collected while it is made", WAIT, async () => {
  const root = repository("meanwhile", { ".handrail/setup.sh": "sleep 1; echo made > made\n", a: "1" });
  const over = new AbortController();
  const collecting = (async () => {
    for (; !over.signal.aborted; await delay(50)) await state.kept?.collect(state.store);
  })();
  const first = await begin(root).finally(() => over.abort());
  await collecting;
  expect(first.ended).toMatchObject([{ outcome: "ok", kept: true }]);
  expect((await begin(root)).ended).toMatchObject([{ outcome: "reused" }]);
});

test("what cannot be kept whole is not kept, and a set-up that fails ends nothing", WAIT, async () => {
  const elsewhere = repository("elsewhere", { ".handrail/setup.sh": 'echo tool > "$HOME/tool"\n' });
  const [ended] = (await begin(elsewhere)).ended;
  expect(ended).toMatchObject({ outcome: "ok", kept: false });
  expect(ended?.notKept).toMatch(/^It wrote files outside of the workspace, which are not kept: ".*\/tool"\.$/);

  const failing = repository("failing", { ".handrail/setup.sh": "echo out of luck; exit 3\n" });
  const failed = await begin(failing);
  expect(failed.ended).toMatchObject([
    { outcome: "failed", exitCode: 3, output: expect.stringContaining("out of luck") },
  ]);
  expect(await failed.shell("ls -a .handrail")).toMatchObject({ exitCode: 0 });

  const changed = repository("changed", { ".handrail/setup.sh": "echo set up > made\n", "go.sum": "1" });
  expect((await begin(changed)).ended).toMatchObject([{ outcome: "ok", kept: true }]);
  writeFileSync(join(changed, "go.sum"), "2");
  commit(changed);
  expect((await begin(changed)).ended).toMatchObject([{ outcome: "ok", kept: true }]);
  // Something else is where the result would go: it is made anew.
  writeFileSync(join(changed, "made"), "there already");
  commit(changed);
  expect((await begin(changed)).ended).toMatchObject([{ outcome: "ok" }]);
});
