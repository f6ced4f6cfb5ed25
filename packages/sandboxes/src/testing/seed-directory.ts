import { spawnSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The files that the backend contract asks for. Node cannot write a name that is not UTF-8, so a shell does. */
const SCRIPT = `
set -e
echo first > plain.txt
printf '#!/bin/sh\\necho ran\\n' > run.sh
chmod 755 run.sh
ln -s plain.txt link
ln -s /etc/hostname away
mkdir -p deep/er
echo deep > deep/er/file
touch "$(printf 'n\\377n')"
`;

/** A new directory with the first files of the backend contract. */
export async function seedDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-seed-"));
  const { status, stderr } = spawnSync("sh", ["-c", SCRIPT], { cwd: directory, encoding: "utf8" });
  if (status !== 0) throw new Error(`The first files could not be made: ${stderr}`);
  return directory;
}
