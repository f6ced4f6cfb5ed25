import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { zstdCompressSync } from "node:zlib";
import { DiskAnswer, type DiskImage } from "@handrail/protocol/sandboxd/disk-messages";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

const SANDBOXD = join(import.meta.dirname, "../../dist/sandboxd");
const OWNER = { uid: 4321, gid: 8765 };
const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("Disks beside volumes are not tested: that takes root.\n");

let volumes: string;
let held: string;
/**
 * Holds the mounts of a test, in a namespace of their own: a sandbox of others that starts just then would have copies
 * of them as long as it lives.
 */
let holder: ChildProcess;
beforeEach(async () => {
  volumes = mkdtempSync(join(tmpdir(), "handrail-disks-"));
  held = join(volumes, "held");
  for (const name of ["v1", "v2", "held"]) mkdirSync(join(volumes, name));
  const wait = ["--mount", "--propagation", "private", "sh", "-c", "echo up; read -r _"];
  holder = spawn("unshare", wait, { stdio: ["pipe", "pipe", "inherit"] });
  if (holder.stdout !== null) await once(holder.stdout, "data");
});
afterEach(async () => {
  holder.stdin?.end();
  await once(holder, "close");
  rmSync(volumes, { recursive: true, force: true });
});

/** A command that runs where the mounts are. */
const within = (...command: readonly string[]) => ["--target", String(holder.pid), "--mount", "--", ...command];
const enter = (...command: readonly string[]) => void execFileSync("nsenter", within(...command));
/** A path as it is where the mounts are. */
const inside = (...path: readonly string[]) => join(`/proc/${holder.pid}/root`, volumes, ...path);

const mountLines = () => readFileSync(`/proc/${holder.pid}/mounts`, "utf8").split("\n");
const mountsBelow = (directory: string) =>
  mountLines().flatMap((line) => (line.split(" ")[1]?.startsWith(directory) ? [line.split(" ")[1] ?? ""] : []));
const loops = () => readdirSync("/sys/block").filter((name) => fileOf(name).includes(basename(volumes)));

const expectNothingLeft = () => expect.poll(() => [mountsBelow(volumes), loops()]).toEqual([[], []]);

/** What a loop device has open; empty where it is none, or gone: others' go at any time. */
function fileOf(device: string): string {
  try {
    return readFileSync(join("/sys/block", device, "loop/backing_file"), "utf8");
  } catch {
    return "";
  }
}

/** A file system of 16 MiB, as a server sends it. */
function image(): DiskImage {
  const file = join(volumes, "image");
  execFileSync("mke2fs", ["-q", "-F", "-t", "ext4", file, "16m"]);
  const content = readFileSync(file);
  return { bytes: content.length, extents: [[0, content.length]], data: zstdCompressSync(content).toString("base64") };
}

/** The program as a server starts it. */
function start() {
  const child = spawn("nsenter", within(SANDBOXD, "disks", "--volumes", volumes), {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  onTestFinished(() => void child.kill("SIGKILL"));
  const ask = async (request: object): Promise<DiskAnswer> => {
    child.stdin.write(`${JSON.stringify({ id: 7, ...request })}\n`);
    const { value } = await lines.next();
    return DiskAnswer.parse(JSON.parse(String(value)));
  };
  return {
    ask,
    mount: (volume: string, made?: DiskImage) =>
      ask({ type: "mount", volume, ...(made === undefined ? {} : { anew: { image: made, owner: OWNER } }) }),
    mountWith: (volume: string, names: object) => ask({ type: "mount", volume, names }),
    release: (volume: string, forget = false) => ask({ type: "release", volumes: [volume], forget }),
    end: async () => {
      child.stdin.end();
      return once(child, "exit");
    },
    kill: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe.skipIf(!asRoot)("disks beside volumes", () => {
  test("one is mounted without devices and set-user-ID programs, with directories of its owner, until the server leaves", async () => {
    const { mount, end } = start();
    expect(await mount("v1", image())).toEqual({ id: 7 });
    const disk = join(volumes, "v1/disk");
    const row = mountLines().find((line) => line.includes(` ${disk} `));
    expect(row?.split(" ")[3]?.split(",")).toEqual(expect.arrayContaining(["nosuid", "nodev", "noatime", "discard"]));
    const owners = ["", "workspace", "state", "state/home"].map((name) => {
      const { uid, gid, mode } = statSync(inside("v1/disk", name));
      return `${name} ${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
    });
    expect(owners).toEqual([" 0:0 755", "workspace 4321:8765 755", "state 4321:8765 700", "state/home 4321:8765 700"]);
    expect(await end()).toEqual([0, null]);
    await expectNothingLeft();
  });

  test("names of a sandbox's users are beside it, until it is forgotten", async () => {
    const { mount, mountWith, release } = start();
    const read = () => ["passwd", "group"].map((name) => readFileSync(inside("v1/names", name), "utf8"));
    await mount("v1", image());
    expect(await mountWith("v1", { passwd: "first\n", group: "x\n" })).toEqual({ id: 7 });
    expect(read()).toEqual(["first\n", "x\n"]);
    await mountWith("v1", { passwd: "p\n", group: "g\n" });
    expect(read()).toEqual(["p\n", "g\n"]);
    expect(await mountWith("v1", { passwd: "p", "../x": "g" })).toMatchObject({ code: "sandboxd_mismatch" });
    await release("v1", true);
    expect(existsSync(inside("v1/names"))).toBe(false);
  });

  test("one that is whole is kept, one that is made anew is empty, one that is forgotten is gone", async () => {
    const { mount, release } = start();
    const file = inside("v1/disk/workspace/file");
    await mount("v1", image());
    writeFileSync(file, "kept");
    await release("v1");
    await mount("v1");
    expect(readFileSync(file, "utf8")).toBe("kept");
    await mount("v1", image());
    expect(existsSync(file)).toBe(false);
    await release("v1", true);
    expect(["disk", "disk.img"].map((name) => existsSync(inside("v1", name)))).toEqual([false, false]);
  });

  test("one that a sandbox still has is waited for, and never mounted twice", async () => {
    const { mount, release } = start();
    await mount("v1", image());
    enter("mount", "--bind", join(volumes, "v1/disk/workspace"), held);
    await release("v1");
    expect(await mount("v1")).toEqual({
      id: 7,
      code: "sandbox_failed",
      message: "The last sandbox still holds the workspace.",
    });
    expect(loops().length).toBe(1);
    const waiting = mount("v1");
    enter("umount", held);
    expect(await waiting).toEqual({ id: 7 });
  });

  test("what one left that was killed is taken away by the next", async () => {
    const first = start();
    await first.mount("v1", image());
    await first.mount("v2", image());
    await first.kill();
    expect(mountsBelow(volumes).length).toBe(2);
    const next = start();
    await next.release("v1");
    expect(await next.mount("v2")).toEqual({ id: 7 });
    await next.release("v2");
    await expectNothingLeft();
  });

  test("a disk or a volume that is not there is told, and one elsewhere is not looked for", async () => {
    const { mount, ask } = start();
    expect(await ask({ type: "mount", volume: "../v1" })).toMatchObject({ id: 7, code: "sandboxd_mismatch" });
    expect(await mount("v1")).toMatchObject({ code: "sandbox_failed", message: expect.stringMatching(/disk is not/) });
    expect(await mount("v3", image())).toMatchObject({ message: "The daemon keeps its volumes elsewhere." });
    expect(await mount("v2", { bytes: 1024 ** 2, extents: [], data: zstdCompressSync("").toString("base64") })).toEqual(
      {
        id: 7,
        code: "sandbox_failed",
        message: expect.stringMatching(/^Mounting the disk failed with error \d+ of the system\.$/),
      },
    );
    await expectNothingLeft();
  });
});
