import type { AppError } from "@handrail/protocol/errors";
import { SandboxProfile } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { type BackendBench, freshConversation, run } from "./sandbox-bench.ts";

/** Starting, finding, ending and forgetting sandboxes. */
export function sandboxLifeContract(bench: () => BackendBench, isolates: boolean): void {
  test("it works here", async () => {
    const { backend, within } = bench();
    expect(await backend.health(within(20_000))).toMatchObject({ name: backend.name, works: true });
  });

  test("a profile that it does not list is refused with a sentence, and the default one is listed", async () => {
    const { backend, start, within } = bench();
    const { profiles } = await backend.health(within(20_000));
    expect(profiles).toContain("default");
    for (const profile of SandboxProfile.options.filter((name) => !profiles.includes(name))) {
      await expect(start(freshConversation(), { profile })).rejects.toMatchObject({
        code: "backend_unavailable",
        message: expect.stringContaining(`profile ${profile}`),
      });
    }
  });

  test("a conversation without a sandbox has none to find, to stop or to remove", async () => {
    const { backend, within } = bench();
    const conversation = freshConversation();
    expect(await backend.find(conversation, within(20_000))).toBeUndefined();
    expect(await backend.hasWorkspace(conversation)).toBe(false);
    await backend.stop(conversation);
    await backend.remove(conversation);
  });

  test("a sandbox that runs is given again instead of a second one", async () => {
    const { start } = bench();
    const conversation = freshConversation();
    const first = await start(conversation);
    const second = await start(conversation);
    expect([second.sandboxId, second.bootId]).toEqual([first.sandboxId, first.bootId]);
  });

  test("another server finds the sandbox with what runs in it", async () => {
    const { backend, open, installation, within } = bench();
    const conversationId = freshConversation();
    const choice = { backend: backend.name, network: { type: "none" } } as const;
    const earlier = await open(`${installation}c`);
    const spec = { conversationId, choice, seedDirectory: undefined };
    const first = await earlier.start(spec, () => undefined, within(60_000));
    const options = { id: "k_across", signal: within(20_000) };
    const argv = ["sh", "-c", "sleep 1; echo ran >> count; cat count"];
    const asked = first.call("process.run", { argv, timeoutMs: 20_000, capBytes: 100 }, options).catch(() => undefined);
    await run(bench(), first, "true");
    await earlier.close();
    await asked;
    const later = await open(`${installation}c`);
    const found = await later.find(conversationId, within(20_000));
    expect([found?.sandboxId, found?.bootId]).toEqual([first.sandboxId, first.bootId]);
    const again = found?.call("process.run", { argv, timeoutMs: 20_000, capBytes: 100 }, options);
    expect(await again).toMatchObject({ exitCode: 0, stdout: "ran\n" });
    await later.remove(conversationId);
    await later.collect(new Set());
    await later.close();
  });

  test("stopping keeps the workspace and the home directory, and ends everything else", async () => {
    const { backend, start, within } = bench();
    const conversation = freshConversation();
    const before = await start(conversation);
    await run(bench(), before, "echo kept > file; echo kept > ~/file; echo lost > /tmp/file");
    await backend.stop(conversation);
    expect(await backend.find(conversation, within(20_000))).toBeUndefined();
    expect(await backend.hasWorkspace(conversation)).toBe(true);
    const after = await start(conversation);
    expect(after.bootId).not.toBe(before.bootId);
    expect(await run(bench(), after, "cat file ~/file")).toEqual({ exitCode: 0, output: "kept\nkept\n" });
    if (isolates) expect((await run(bench(), after, "cat /tmp/file")).exitCode).toBe(1);
  });

  test("removing forgets the workspace", async () => {
    const { backend, start } = bench();
    const conversation = freshConversation();
    await run(bench(), await start(conversation), "mkdir locked; echo x > locked/x; chmod 000 locked");
    await backend.remove(conversation);
    expect(await backend.hasWorkspace(conversation)).toBe(false);
    expect(await run(bench(), await start(conversation), "ls -A")).toEqual({ exitCode: 0, output: "" });
  });

  test("collecting touches nothing that is kept, and nothing of another installation", async () => {
    const { backend, start, open, within, installation } = bench();
    const [kept, left] = [freshConversation(), freshConversation()];
    const sandbox = await start(kept);
    await start(left);
    const other = await open(`${installation}b`);
    await other.collect(new Set());
    expect(await backend.find(left, within(20_000))).toBeDefined();
    await backend.collect(new Set([kept]));
    expect(await backend.find(left, within(20_000))).toBeUndefined();
    expect(await Promise.all([backend.hasWorkspace(kept), backend.hasWorkspace(left)])).toEqual([true, false]);
    expect(await run(bench(), sandbox, "echo alive")).toEqual({ exitCode: 0, output: "alive\n" });
    await other.close();
  });

  test("a sandbox that is killed from outside is gone, and what it was asked fails with sandbox_gone", async () => {
    const { start, killFromOutside, installation, within, backend } = bench();
    const conversation = freshConversation();
    const sandbox = await start(conversation);
    const asked = run(bench(), sandbox, "sleep 60", 60_000).catch((error: AppError) => error.code);
    await run(bench(), sandbox, "true");
    await killFromOutside(installation, conversation);
    expect(await asked).toBe("sandbox_gone");
    expect(await sandbox.gone).toMatch(/\.$/);
    expect(await backend.find(conversation, within(20_000))).toBeUndefined();
    expect(await run(bench(), await start(conversation), "echo again")).toEqual({ exitCode: 0, output: "again\n" });
  });

  test("first files arrive as they are: links, modes, names that are not UTF-8", async () => {
    const { start, seed } = bench();
    const sandbox = await start(freshConversation(), { seedDirectory: await seed() });
    expect(await run(bench(), sandbox, LOOK_AND_CHANGE)).toEqual(SEEN);
  });

  test("first files arrive as they are in a sandbox that runs, in place of what is there", async () => {
    const { start, seed, fill, within } = bench();
    const sandbox = await start(freshConversation());
    const directory = await seed();
    await run(bench(), sandbox, "mkdir -p .git/objects deep; echo old > .git/objects/old; echo old > deep/er");
    for (let time = 0; time < 2; time++) {
      await fill(sandbox, { directory, dispose: async () => undefined }, within(20_000));
      expect((await run(bench(), sandbox, "test -e .git || test -e new")).exitCode).toBe(1);
      expect(await run(bench(), sandbox, LOOK_AND_CHANGE)).toEqual(SEEN);
    }
  });
}

const LOOK_AND_CHANGE = [
  "cat plain.txt link deep/er/file",
  "readlink link away",
  "test -x run.sh && test ! -x plain.txt && ./run.sh",
  "ls | od -An -c | tr -d ' \\n' | grep -o 'n377n'",
  "echo more >> plain.txt && rm -r deep && touch new && stat -c %U:%G . >/dev/null && echo writable",
].join("; ");
const SEEN = { exitCode: 0, output: "first\nfirst\ndeep\nplain.txt\n/etc/hostname\nran\nn377n\nwritable\n" };
