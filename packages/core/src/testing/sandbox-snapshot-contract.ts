import { expect, test } from "vitest";
import { MAKE_TREE, SPOIL_TREE, TELL_TREE } from "./hostile-tree.ts";
import { callId, callsOf, type OpenSandbox, type SandboxOpener } from "./sandbox-fixture.ts";
import { SNAPSHOT_RULES, snapshotsOf } from "./snapshot-fixture.ts";

/** Snapshots of workspaces: what is in them, what they bring back, and what they never touch. */
export function sandboxSnapshotContract(name: string, open: SandboxOpener): void {
  restoring(name, open);
  refusing(name, open);
  racing(name, open);
  restarting(name, open);
}

/** What is there at first, changes between the two snapshots, and what is told afterwards. */
const CHANGE = "echo changed > changed; rm 'two\nlines'; chmod 700 hollow; mv sub/dir sub/moved";

function restoring(name: string, open: SandboxOpener): void {
  test(`${name}: a snapshot is restored exactly, in another sandbox and over damage in its own`, async () => {
    const [one, other] = [await open(), await open()];
    const { shell } = callsOf(one.sandbox);
    await shell(MAKE_TREE);
    const unreadable = (await shell("cat dark 2>/dev/null")) === "" ? ["dark", "locked"] : [];
    const before = await tell(one);
    const { root, objects, leftOut } = await snapshotsOf(one).take();
    expect(leftOut.map(({ path, reason }) => `${reason} ${path}`)).toEqual(
      unreadable.map((path) => `unreadable ${path}`),
    );
    expect(await snapshotsOf(other).restore(root, objects)).toMatchObject({ needed: [], failed: [] });
    expect(await tell(other)).toBe(await tell(one, unreadable));

    await shell(SPOIL_TREE);
    expect(await tell(one)).not.toBe(before);
    expect(await snapshotsOf(one).restore(root, objects)).toMatchObject({ needed: [], failed: [] });
    expect(await tell(one)).toBe(before);
    expect((await snapshotsOf(one).take()).root).toBe(root);
  });

  test(`${name}: a snapshot on another brings only what changed, and both are restored`, async () => {
    const [one, other] = [await open(), await open()];
    const { shell } = callsOf(one.sandbox);
    await shell(MAKE_TREE);
    const { take, restore, contentOf } = snapshotsOf(one);
    const first = await take();
    const before = await tell(one);
    await shell(CHANGE);
    const second = await take(first.root);
    const after = await tell(one);
    expect(second.newObjects).toBeLessThan(first.newObjects / 4);
    expect(contentOf(second.objects)).toContain("changed\n");
    expect(contentOf(second.objects)).not.toContain("bottom\n");
    expect(await take(second.root)).toMatchObject({ root: second.root, newObjects: 0, packBytes: 0 });

    expect(await restore(first.root, first.objects)).toMatchObject({ needed: [], failed: [] });
    expect(await tell(one)).toBe(before);
    const both = [...first.objects, ...second.objects];
    expect(await restore(second.root, both)).toMatchObject({ needed: [], failed: [] });
    expect(await tell(one)).toBe(after);
    await snapshotsOf(other).restore(second.root, both);
    expect(await tell(other, ["dark", "locked"])).toBe(await tell(one, ["dark", "locked"]));
  });
}

function refusing(name: string, open: SandboxOpener): void {
  test(`${name}: a restore that lacks objects names them, and one of rubbish is refused; neither changes anything`, async () => {
    const [one, other] = [await open(), await open()];
    await callsOf(one.sandbox).shell("mkdir d; echo one > d/f; echo two > g");
    const { root, objects } = await snapshotsOf(one).take();
    await callsOf(other.sandbox).shell("mkdir d; echo other > d/f; echo more > h");
    const before = await tell(other);
    const { restore, put } = snapshotsOf(other);
    expect(await restore(root, [])).toEqual({ needed: [root], written: 0, removed: 0, failed: [] });
    const pieces = objects.filter(({ kind }) => kind === "blob");
    const lacking = await restore(
      root,
      objects.filter((object) => object !== pieces[0]),
    );
    expect(lacking).toMatchObject({ needed: [expect.stringMatching(/^[0-9a-f]{64}$/)], written: 0, removed: 0 });
    await expect(put(new TextEncoder().encode("not a frame at all"))).rejects.toMatchObject({
      code: "checkpoint_invalid",
    });
    const call = callsOf(other.sandbox).call("snapshot.restore", { ...SNAPSHOT_RULES, root });
    expect(await call).toMatchObject({ needed: [root], written: 0 });
    expect(await tell(other)).toBe(before);
    expect(await restore(root, objects)).toMatchObject({ needed: [], failed: [] });
    expect(await tell(other)).toBe(await tell(one));
  });
}

const BEFORE = "for i in $(seq 300); do echo $i > a$i; done";

/** A directory that is a link to another one beyond the workspace half of the time, until there is a file `stop` there. */
const swapping = (outside: string) => `
mkdir -p ${outside}; echo theirs > ${outside}/f; echo secret-content > ${outside}/secret-name
mkdir -p d; echo inside > d/f; chmod 500 ${outside}
(trap '' HUP; while [ ! -e ${outside}.stop ]; do rm -rf d; ln -s ${outside} d; sleep 0.004; rm -rf d; mkdir d; echo inside > d/f; sleep 0.004; done) >/dev/null 2>&1 &`;

function racing(name: string, open: SandboxOpener): void {
  test(`${name}: a link that takes a directory's place leads no snapshot out of the workspace, nor a restore`, async () => {
    const opened = await open();
    const { shell } = callsOf(opened.sandbox);
    const { take, restore, contentOf } = snapshotsOf(opened);
    // What comes before the directory takes long enough that it is a link by then.
    await shell(`${BEFORE}; mkdir d; echo inside > d/f; mkdir d/new; echo new > d/new/f`);
    const { root, objects } = await take();
    const outside = `/tmp/outside-${callId()}`;
    const look = () => shell(`cd ${outside} && stat -c '%n %f %y %z' . * && cat f secret-name`);
    await shell(swapping(outside));
    try {
      const before = await look();
      expect(before).toContain("secret-content");
      for (let round = 0; round < 24; round++) {
        const taken = await take();
        expect(contentOf(taken.objects)).not.toMatch(/theirs|secret-(?:name|content)/);
        if (round % 3 > 0) continue;
        await shell("rm -f a*0");
        // The directory changes all the time: what cannot be written is told.
        expect((await restore(root, objects)).needed).toEqual([]);
      }
      expect(await look()).toBe(before);
    } finally {
      await shell(`touch ${outside}.stop; chmod 700 ${outside}`);
    }
    await expect.poll(() => shell("rm -rf a* d && sleep 0.1 && ls -A")).toBe("");
    expect(await restore(root, objects)).toMatchObject({ needed: [], failed: [] });
    expect(await shell(`cat d/f d/new/f; rm -rf ${outside} ${outside}.stop`)).toBe("inside\nnew\n");
  });
}

function restarting(name: string, open: SandboxOpener): void {
  test(`${name}: a snapshot's calls go on without their server, and run once for an id`, async ({ skip }) => {
    const opened = await open();
    if (opened.restartLink === undefined) return skip("this backend does not restart links");
    const { shell } = callsOf(opened.sandbox);
    await shell("mkdir many; for i in $(seq 300); do echo $i > many/$i; done");
    const { root, objects } = await snapshotsOf(opened).take();
    await shell("rm -rf many");
    const ids = { restore: callId(), take: callId() };
    const lost = snapshotsOf(opened)
      .restore(root, objects, { id: ids.restore })
      .catch((thrown: unknown) => thrown);
    await expect.poll(() => opened.sandbox.status(ids.restore)).not.toBe("unknown");
    const again = { ...opened, sandbox: await opened.restartLink() };
    await lost;
    const calls = callsOf(again.sandbox);
    const restore = () => calls.call("snapshot.restore", { ...SNAPSHOT_RULES, root }, { id: ids.restore });
    expect(await restore()).toEqual({ needed: [], written: 300, removed: 0, failed: [] });
    expect(await calls.shell("ls many | wc -l; cat many/300; rm many/1")).toMatch(/^ *300\n300\n$/);
    expect(await restore()).toMatchObject({ written: 300 });
    expect(await calls.shell("ls many | wc -l")).toMatch(/^ *299\n$/);

    const take = () => calls.call("snapshot.take", { ...SNAPSHOT_RULES, base: null }, { id: ids.take });
    const taken = await take();
    await calls.shell("rm many/2");
    expect(await take()).toEqual(taken);
  });
}

/** All that there is in a workspace, without these names of its first level. */
async function tell({ sandbox }: Pick<OpenSandbox, "sandbox">, without: readonly string[] = []): Promise<string> {
  const { call } = callsOf(sandbox);
  const argv = ["sh", "-c", `without=' ${without.join(" ")} '; ${TELL_TREE}`];
  const { stdout, stderr } = await call("process.run", { argv, timeoutMs: 20_000, capBytes: 100_000 });
  return stdout + stderr;
}
