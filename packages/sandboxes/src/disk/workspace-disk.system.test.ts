import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "../run-program.ts";
import { inProbe } from "./disk-probes.ts";
import { mountDisk, unmountDisk } from "./mounted-disk.ts";
import { diskReleased, disksWork, makeDisk, requireHostSpace } from "./workspace-disk.ts";
import { runsAsRoot } from "../testing/runs-as-root.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

test("a new disk takes next to nothing of the host, however large it is", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-disk-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const [image, content] = [join(directory, "image"), join(directory, "content")];
  await mkdir(content);
  await makeDisk(image, content, 10 * GIB);
  const { size, blocks } = await stat(image);
  expect({ size, small: blocks * 512 < MIB }).toEqual({ size: 10 * GIB, small: true });
});

const asRoot = runsAsRoot("A disk that is mounted");

/** A process that tries something in a directory. */
async function trying(directory: string, probes: () => Promise<readonly string[]>) {
  const before = await probes();
  const module = new URL("disk-probes.ts", import.meta.url).href;
  const program = `import { inProbe } from "${module}"; await inProbe("${directory}", () => new Promise((end) => setTimeout(end, 60_000)));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await expect.poll(probes).toHaveLength(before.length + 1);
  const probe = (await probes()).find((name) => !before.includes(name)) ?? "";
  return { child, probe };
}

test.skipIf(!asRoot)(
  "a try whether disks work leaves nothing, and takes away what a killed one left beside what it left alone",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "handrail-disk-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const probes = async () => (await readdir(directory)).filter((name) => name.startsWith("probe-"));
    const { child: killed } = await trying(directory, probes);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    const { probe: living } = await trying(directory, probes);
    expect(await probes()).toHaveLength(2);
    await mkdir(join(directory, "c_1"));
    await inProbe(directory, async (own) => {
      expect(await disksWork(directory)).toBe(true);
      expect((await readdir(directory)).toSorted()).toEqual(["c_1", ...[living, basename(own)].toSorted()]);
    });
    expect(await readdir(directory)).toEqual(["c_1", living]);
  },
);

test.skipIf(!asRoot)("no sandbox is started on a host whose disk is nearly full", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-disk-"));
  await runProgram("mount", ["-t", "tmpfs", "-o", "size=64m", "handrail-test", directory]);
  onTestFinished(async () => {
    await unmountDisk(directory);
    await rm(directory, { recursive: true, force: true });
  });
  await expect(requireHostSpace(directory)).rejects.toMatchObject({ code: "disk_full" });
  await requireHostSpace(tmpdir());
});

/** A disk that is mounted on the host. */
async function mountedDisk() {
  const directory = await mkdtemp(join(tmpdir(), "handrail-disk-"));
  const [image, content, disk] = [join(directory, "disk.img"), join(directory, "content"), join(directory, "disk")];
  onTestFinished(async () => {
    await unmountDisk(disk);
    await rm(directory, { recursive: true, force: true });
  });
  await Promise.all([mkdir(content), mkdir(disk)]);
  await makeDisk(image, content, 32 * MIB);
  await mountDisk(image, disk);
  return { directory, image, disk };
}

/** Runs a script in a mount namespace that is a copy of the host's, and stays there until its end. */
async function stranger(script: string) {
  const child = spawn("unshare", ["--mount", "sh", "-c", `${script}; echo ready; read end`], { stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

test.skipIf(!asRoot)(
  "a disk of which a stranger holds a copy of the mount is mounted again, with the same files",
  async () => {
    const { directory, image, disk } = await mountedDisk();
    const holder = await stranger(`cd ${directory}`);
    await unmountDisk(disk);
    await diskReleased({ image, disk });
    await mountDisk(image, disk);
    await writeFile(join(disk, "file"), "kept");
    expect((await runProgram("nsenter", ["--mount", `--target=${holder.pid}`, "cat", join(disk, "file")])).stdout).toBe(
      "kept",
    );
  },
);

test.skipIf(!asRoot)("a disk that is still mounted where a sandbox has it is not given to another", async () => {
  const { directory, image, disk } = await mountedDisk();
  const inside = join(directory, "content");
  await stranger(`mount --bind ${disk} ${inside} && umount ${disk}`);
  await unmountDisk(disk);
  await expect(diskReleased({ image, disk })).rejects.toMatchObject({ code: "sandbox_failed" });
});

test.skipIf(!asRoot)("on a mounted disk neither devices nor set-user-ID programs count", async () => {
  const { disk } = await mountedDisk();
  const row = (await readFile("/proc/self/mounts", "utf8")).split("\n").find((line) => line.includes(` ${disk} `));
  expect(row?.split(" ")[3]?.split(",")).toEqual(expect.arrayContaining(["nosuid", "nodev"]));
});
