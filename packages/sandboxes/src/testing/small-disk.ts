import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runProgram } from "../run-program.ts";

const MIB = 1024 ** 2;

/** A small file system, mounted where a daemon or a server has its files, for tests that fill it. It takes root. */
export type SmallDisk = {
  readonly path: string;
  freeMib(): Promise<number>;
  /** Takes all of it but so much. */
  takeAllBut(mib: number): Promise<void>;
  giveBack(): Promise<void>;
  /** The least that was free until `over` settled, while somebody else wrote to it all the time. Rejects when that failed. */
  leastFree(over: Promise<unknown>): Promise<{ readonly mib: number; readonly files: number }>;
  dispose(): Promise<void>;
};

/** An ext4 of so many bytes. */
export async function smallDisk(bytes: number): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-full-"));
  const [path, image, others] = [
    join(directory, "machine"),
    join(directory, "image"),
    join(directory, "machine/others"),
  ];
  await mkdir(path);
  // Users that are not root come to it, too.
  await chmod(directory, 0o711);
  await done("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", image, `${bytes / 1024}k`);
  await done("mount", "-o", "loop", image, path);
  const look = async () => {
    const { bavail, bsize, ffree } = await statfs(path);
    return { mib: Math.floor((bavail * bsize) / MIB), files: ffree };
  };
  return {
    path,
    freeMib: async () => (await look()).mib,
    takeAllBut: async (mib) => done("fallocate", "--length", `${(await look()).mib - mib}MiB`, others),
    giveBack: () => rm(others),
    leastFree: async (over) => {
      const ended = over.then(
        () => true,
        () => true,
      );
      const least = { mib: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY };
      for (let isOver = false; !isOver; isOver = await Promise.race([ended, delay(1, false)])) {
        const { mib, files } = await look();
        Object.assign(least, { mib: Math.min(least.mib, mib), files: Math.min(least.files, files) });
        await writeFile(others, "calm");
      }
      return least;
    },
    dispose: async () => {
      await done("umount", "--lazy", path);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function done(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program}: ${stderr}`);
}
