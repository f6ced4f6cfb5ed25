import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { INSIDE, SANDBOX_UID } from "../sandbox-environment.ts";

/** What a sandbox sees of /etc that is not the host's: names of the one user, of the loopback, and no resolver. */
export const ETC_FILES: Readonly<Record<string, string>> = {
  passwd: [
    "root:x:0:0:root:/root:/usr/sbin/nologin",
    `agent:x:${SANDBOX_UID}:${SANDBOX_UID}:agent:${INSIDE.home}:/bin/bash`,
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    "",
  ].join("\n"),
  group: ["root:x:0:", `agent:x:${SANDBOX_UID}:`, "nogroup:x:65534:", ""].join("\n"),
  hosts: "127.0.0.1 localhost sandbox\n::1 localhost\n",
  hostname: "sandbox\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
  "resolv.conf": "",
};

/** Writes the files into `directory`, readable by all. */
export async function writeEtcFiles(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const written = Object.entries(ETC_FILES).map(([name, text]) =>
    writeFile(join(directory, name), text, { mode: 0o644 }),
  );
  await Promise.all(written);
}
