import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "../run-program.ts";
import { inProbe } from "./disk-probes.ts";
import { mountDisk, unmountDisk } from "./mounted-disk.ts";
import { disksWork, makeDisk, requireHostSpace } from "./workspace-disk.ts";
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
  await expect.poll(probes, { timeout: 20_000 }).toHaveLength(before.length + 1);
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

test.skipIf(!asRoot)("on a mounted disk neither devices nor set-user-ID programs count", async () => {
  const directory = await mkdtemp(join(tmpdir(), "handrail-disk-"));
  const [image, content, target] = [join(directory, "image"), join(directory, "content"), join(directory, "target")];
  onTestFinished(async () => {
    await unmountDisk(target);
    await rm(directory, { recursive: true, force: true });
  });
  await Promise.all([mkdir(content), mkdir(target)]);
  await makeDisk(image, content, 32 * MIB);
  await mountDisk(image, target);
  const row = (await readFile("/proc/self/mounts", "utf8")).split("\n").find((line) => line.includes(` ${target} `));
  expect(row?.split(" ")[3]?.split(",")).toEqual(expect.arrayContaining(["nosuid", "nodev"]));
});
