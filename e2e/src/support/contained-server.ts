import { execFileSync } from "node:child_process";
import { workingBackends } from "./sandbox-kills.ts";

/**
 * Starts a program as in a container: with process ids of its own, and mounts of its own, so that workspaces are in
 * volumes of the daemon. It ends with who started it.
 */
export const CONTAINED = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"] as const;

/** Whether servers with Docker sandboxes can be started so here; why not is printed. */
export function containedServersWork(): boolean {
  const works = canContain() && workingBackends().includes("docker");
  if (!works) process.stdout.write("Skipped: a server as in a container takes namespaces and a Docker daemon.\n");
  return works;
}

function canContain(): boolean {
  try {
    execFileSync(CONTAINED[0], [...CONTAINED.slice(1), "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
