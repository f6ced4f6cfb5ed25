import { execFile } from "node:child_process";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { usersMayUseFuse } from "@handrail/channels/testing/may-use-fuse";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DISK_FILLERS } from "../testing/disk-fillers.ts";
import { runsAsRoot } from "../testing/runs-as-root.ts";
import { type SmallDisk, smallDisk } from "../testing/small-disk.ts";

const USER = 12_346;
const MACHINE_BYTES = 2 * 1024 ** 3;
/** What is kept free, less what the kernel had yet to write. */
const RESERVE_MIB = 400;

describe.skipIf(!runsAsRoot("A small disk that a plain user's sandboxes are on"))("a plain user's small disk", () => {
  let disk: SmallDisk;
  let directory: string;
  beforeAll(async () => {
    disk = await smallDisk(MACHINE_BYTES);
    directory = join(disk.path, "sandboxes");
    await mkdir(directory);
    await chown(directory, USER, USER);
  });
  afterAll(() => disk.dispose());

  async function fill(number: number, bound: "fuse" | "watched") {
    const program = join(import.meta.dirname, "../testing/fill-as-user.ts");
    const user = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--"];
    const words = [...user, process.execPath, program, directory, String(number), bound];
    const filling = promisify(execFile)("setpriv", words);
    const least = await disk.leastFree(filling);
    return { least, end: (await filling).stdout };
  }

  const cases = DISK_FILLERS.map(({ tries, end }, number) => ({ tries, end, number }));

  test.skipIf(!usersMayUseFuse("A small disk with FUSE")).each(cases)(
    "keeps what the server needs where FUSE bounds workspaces, whatever a program there tries that $tries",
    async ({ tries, number }) => {
      const { least, end } = await fill(number, "fuse");
      process.stdout.write(`process with FUSE, a program that ${tries}: ${JSON.stringify(least)} were left at least\n`);
      expect(end).toBe("again\n");
      expect(least.mib).toBeGreaterThan(RESERVE_MIB);
    },
    180_000,
  );

  test.each(cases)(
    "never is full without that, whatever a program in a sandbox there tries that $tries",
    async ({ tries, end, number }) => {
      const { least, end: ended } = await fill(number, "watched");
      process.stdout.write(`process, a program that ${tries}: ${JSON.stringify(least)} were left at least\n`);
      expect(ended).toBe(end);
      expect(least.mib).toBeGreaterThan(0);
      expect(least.files).toBeGreaterThan(0);
    },
    180_000,
  );
});
