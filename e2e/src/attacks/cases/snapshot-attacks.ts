import { zstdDecompressSync } from "node:zlib";
import { encodeObjectFrame, objectFrames, takenFrames } from "@handrail/protocol/sandboxd/object-frames";
import type { Verdict } from "../attack.ts";
import type { StagedSandbox } from "../stage.ts";
import { answer, type WorkspaceAttack } from "./workspace-attacks.ts";

const RULES = { maxFileBytes: 1_000_000, maxTotalBytes: 20_000_000 };
/** Snapshots while a racer runs. */
const TURNS = 40;

/** Runs a Python program beside `work` until that is done; it runs while `going()` is true. */
async function beside<Value>(sandbox: StagedSandbox, program: string, work: () => Promise<Value>): Promise<Value> {
  const going = `import os, time
end = time.time() + 15
def going(): return time.time() < end and not os.path.exists("/tmp/stop")
open("/tmp/started", "w").close()
`;
  await sandbox.shell("rm -f /tmp/stop /tmp/started");
  const racer = sandbox.shell(`python3 - <<'END'\n${going}${program.trim()}\nEND`);
  await sandbox.shell("until [ -e /tmp/started ]; do sleep 0.01; done");
  const value = await work();
  await sandbox.shell("touch /tmp/stop");
  await racer;
  return value;
}

/** Takes a snapshot of all there is and keeps it: its name, and the bytes that the server would have. */
async function take(sandbox: StagedSandbox): Promise<{ readonly root: string; readonly bytes: Buffer }> {
  const call = { signal: AbortSignal.timeout(20_000) };
  const { root } = await sandbox.sandbox.call("snapshot.take", { base: null, ...RULES }, call);
  const parts: Buffer[] = [];
  for (let [offset, size] = [0, 1]; offset < size; offset += parts.at(-1)?.length ?? size) {
    const read = await sandbox.sandbox.call("snapshot.read", { root, offset, length: 4_000_000 }, call);
    size = read.size;
    parts.push(Buffer.from(read.data, "base64"));
  }
  await sandbox.sandbox.call("snapshot.keep", { root }, call);
  return { root, bytes: unpacked(Buffer.concat(parts)) };
}

/** Each object as a frame of its own, none of them compressed. */
function unpacked(taken: Buffer): Buffer {
  const plain = (data: Uint8Array) => zstdDecompressSync(data);
  const frames = takenFrames()
    .take(taken)
    .flatMap((frame) => (frame.kind === "bundle" ? objectFrames().take(plain(frame.data)) : [frame]));
  return Buffer.concat(
    frames.map(({ kind, packed, size, data }) =>
      encodeObjectFrame({ kind, packed: false, size, data: packed ? plain(data) : data }),
    ),
  );
}

const CLEAN = "rm -rf /workspace/* /workspace/.git /tmp/outside; mkdir /tmp/outside; echo OUTSIDE > /tmp/outside/file;";

async function raceTake(sandbox: StagedSandbox): Promise<Verdict> {
  await sandbox.shell(`${CLEAN} mkdir /workspace/flip; echo INSIDE > /workspace/flip/file`);
  const flip = `
os.chdir("/workspace")
while going():
    os.rename("flip", "aside"); os.symlink("/tmp/outside", "flip"); os.unlink("flip"); os.rename("aside", "flip")`;
  const seen = { inside: 0, outside: 0, refused: 0 };
  await beside(sandbox, flip, async () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const taken = await take(sandbox).catch(() => undefined);
      if (taken === undefined) seen.refused += 1;
      else if (taken.bytes.includes("OUTSIDE")) seen.outside += 1;
      else if (taken.bytes.includes("INSIDE")) seen.inside += 1;
    }
  });
  if (seen.outside > 0) return `BREACH ${seen.outside} of ${TURNS}`;
  return seen.inside > 0 ? `HELD ${JSON.stringify(seen)}` : "BREACH, or there was no race";
}

async function raceRestore(sandbox: StagedSandbox): Promise<Verdict> {
  await sandbox.shell(
    `${CLEAN} mkdir /workspace/flip; for n in 1 2 3 4 5 6 7 8; do echo INSIDE > /workspace/flip/$n; done`,
  );
  const { root, bytes } = await take(sandbox);
  const flip = `
os.chdir("/workspace")
while going():
    try: os.rename("flip", "aside"); os.symlink("/tmp/outside", "flip"); os.unlink("flip"); os.rename("aside", "flip")
    except OSError:
        for path in ("flip",):
            try: os.unlink(path)
            except OSError: pass`;
  const restored = await beside(sandbox, flip, async () => {
    let count = 0;
    for (let turn = 0; turn < TURNS; turn += 1) {
      await sandbox.shell("rm -f /workspace/flip/[1-4] /workspace/aside/[1-4]; touch /workspace/flip/more");
      await answer(sandbox, "snapshot.put", { offset: 0, data: bytes });
      const said = await answer(sandbox, "snapshot.restore", { root, ...RULES });
      if (said.startsWith("{")) count += 1;
    }
    return count;
  });
  const { output } = await sandbox.shell("ls /tmp/outside; cat /tmp/outside/file");
  if (output !== "file\nmore\nOUTSIDE\n" && output !== "file\nOUTSIDE\n") return `BREACH ${output}`;
  return restored > 0 ? `HELD ${restored} restored` : "BREACH, or nothing was restored";
}

async function hardLinkOut(sandbox: StagedSandbox): Promise<Verdict> {
  const link = `
import errno, os
linked = []
for directory in ("/etc", "/tmp/outside", "/handrail", "/handrail-state", "/handrail-state/home", "/handrail-link", "/usr/bin", "/proc/1", "/run"):
    try: names = os.listdir(directory)[:40]
    except OSError: continue
    for name in names:
        for follow in (False, True):
            try: os.link(directory + "/" + name, "/workspace/linked-%d" % len(linked), follow_symlinks=follow)
            except OSError: continue
            linked.append(directory + "/" + name)
print(linked)`;
  const { output } = await sandbox.shell(`${CLEAN} echo INSIDE > /workspace/own; python3 - <<'END'\n${link}\nEND`);
  const { bytes } = await take(sandbox);
  if (output.trim() !== "[]" || bytes.includes("OUTSIDE")) return `BREACH ${output}`;
  return bytes.includes("INSIDE") ? "HELD none could be linked" : "BREACH, or there was no snapshot";
}

async function hardLinkWrite(sandbox: StagedSandbox): Promise<Verdict> {
  await sandbox.shell(`${CLEAN} cd /workspace; echo INSIDE > file`);
  const { root, bytes } = await take(sandbox);
  // One file under two names, one of which the snapshot has: what it says of the one must not come to the other.
  await sandbox.shell("cd /workspace; rm -f file /tmp/stop /tmp/open; echo OTHER > held; ln held file");
  const wait = "until [ -e /tmp/stop ]; do sleep 0.02; done";
  const holder = sandbox.shell(`exec 9< /workspace/held; touch /tmp/open; ${wait}; cat <&9`);
  await sandbox.shell("until [ -e /tmp/open ]; do sleep 0.02; done");
  await answer(sandbox, "snapshot.put", { offset: 0, data: bytes });
  await answer(sandbox, "snapshot.restore", { root, ...RULES });
  await sandbox.shell("touch /tmp/stop");
  const [{ output: held }, { output: now }] = [await holder, await sandbox.shell("cat /workspace/file")];
  return held === "OTHER\n" && now === "INSIDE\n" ? "HELD it was made anew" : `BREACH ${held} ${now}`;
}

async function changing(sandbox: StagedSandbox): Promise<Verdict> {
  await sandbox.shell(`${CLEAN} echo INSIDE > /workspace/calm; truncate -s 900K /workspace/restless`);
  const change = `
os.chdir("/workspace")
while going():
    for size in (0, 5, 900_000, 3_000_000, 1):
        os.truncate("restless", size)
    os.rename("restless", "x"); os.mkfifo("restless"); os.unlink("restless"); os.rename("x", "restless")`;
  const whole = await beside(sandbox, change, async () => {
    let count = 0;
    for (let turn = 0; turn < TURNS; turn += 1) if ((await take(sandbox)).bytes.includes("INSIDE")) count += 1;
    return count;
  });
  return whole === TURNS ? `HELD ${whole} snapshots` : `BREACH ${whole} of ${TURNS}`;
}

const STEP_BY_STEP = "each directory is opened from the one above, and none by way of a link";

/** Links and changes while a snapshot is taken or restored. */
export const SNAPSHOT_ATTACKS: readonly WorkspaceAttack[] = [
  {
    id: "snapshot.race-take",
    tries: "swap a directory for a link while a snapshot is taken, so that files from outside get into it",
    stoppedBy: STEP_BY_STEP,
    run: raceTake,
  },
  {
    id: "snapshot.race-restore",
    tries: "swap a directory for a link while a snapshot is restored, so that files outside are written and deleted",
    stoppedBy: STEP_BY_STEP,
    run: raceRestore,
  },
  {
    id: "snapshot.hard-link-take",
    tries: "link files from outside into the workspace, so that they get into a snapshot",
    stoppedBy: "a workspace that is a mount of its own, over which no hard link goes",
    run: hardLinkOut,
  },
  {
    id: "snapshot.hard-link-restore",
    tries: "have a restore write through a hard link into a file that it is not about",
    stoppedBy: "files made anew and put in place, never written to",
    run: hardLinkWrite,
  },
  {
    id: "snapshot.changing",
    tries: "keep a snapshot from being taken by a file that grows, shrinks and becomes a pipe",
    stoppedBy: "only regular files are opened, without waiting, and read to the size that they began with",
    run: changing,
  },
];
