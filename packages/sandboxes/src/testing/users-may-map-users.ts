import { readFile } from "node:fs/promises";

/** What of /proc/sys keeps user namespaces from those who are not root, and the value that does. */
const SWITCHES = [
  { name: "user/max_user_namespaces", refuses: "0" },
  { name: "kernel/unprivileged_userns_clone", refuses: "0" },
  { name: "kernel/apparmor_restrict_unprivileged_userns", refuses: "1" },
];

/** Whether a plain user of this machine may make user namespaces. Says on standard output what is in the way. */
export async function usersMayMapUsers(): Promise<boolean> {
  for (const { name, refuses } of SWITCHES) {
    const value = await readFile(`/proc/sys/${name}`, "utf8").catch(() => "");
    if (value.trim() !== refuses) continue;
    process.stdout.write(`A rootless Docker daemon is not tested: /proc/sys/${name} is ${refuses} here.\n`);
    return false;
  }
  return true;
}
