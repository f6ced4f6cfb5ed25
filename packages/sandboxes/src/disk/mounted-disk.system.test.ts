import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runsAsRoot } from "../testing/runs-as-root.ts";
import { diskMount, isMounted, mountAll, unmountAll, type Mount } from "./mounted-disk.ts";
import { makeDisk } from "./workspace-disk.ts";

const asRoot = runsAsRoot("What is mounted by one program");

async function places() {
  const directory = await mkdtemp(join(tmpdir(), "handrail mounts # \\040 "));
  const [image, disk, memory] = ["image", "disk", "memory"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  onTestFinished(async () => {
    await unmountAll([disk, memory]);
    await rm(directory, { recursive: true, force: true });
  });
  await Promise.all([mkdir(disk), mkdir(memory)]);
  const inMemory: Mount = { source: "handrail", target: memory, type: "tmpfs", options: "size=1m,nosuid,nodev" };
  const mounted = () => [disk, memory].map(isMounted);
  const mount = () => mountAll([diskMount(image, disk), inMemory], join(directory, "table"));
  return { directory, image, both: [disk, memory], mounted, mount };
}

test.skipIf(!asRoot)("disks and memory are mounted and taken away together, whatever their paths are", async () => {
  const { directory, image, both, mounted, mount } = await places();
  await mkdir(join(directory, "content"));
  await makeDisk(image, join(directory, "content"), 32 * 1024 ** 2);
  await mount();
  expect(mounted()).toEqual([true, true]);
  await unmountAll(both);
  expect(mounted()).toEqual([false, false]);
  await unmountAll(both);
});

test.skipIf(!asRoot)(
  "one that cannot be mounted is told of, and what was mounted beside it is taken away",
  async () => {
    const { both, mounted, mount } = await places();
    const failed = { code: "sandbox_failed", message: expect.stringContaining("could not be mounted") as string };
    await expect(mount()).rejects.toMatchObject(failed);
    await unmountAll(both);
    expect(mounted()).toEqual([false, false]);
  },
);
