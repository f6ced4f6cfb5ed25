import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import type { TestServer } from "./test-server.ts";

/** The isolating backends that this machine can run. Which ones are missing is printed by the caller of the suite. */
export function workingBackends(): readonly ("docker" | "process")[] {
  const backends: ("docker" | "process")[] = [];
  if (runs("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"])) backends.push("process");
  if (runs("docker", ["version"])) backends.push("docker");
  return backends;
}

/** Kills sandboxd alone, or the whole sandbox, of every conversation of this server, as a crash would. */
export async function killSandboxPrograms(
  server: TestServer,
  backend: "docker" | "process",
  what: "sandboxd" | "sandbox",
): Promise<void> {
  if (backend === "docker" && what === "sandbox") return killContainers(server.home);
  const mine = backend === "docker" ? inContainers(server.home) : belongingTo(server.home);
  const pids = what === "sandboxd" ? mine.filter(isSandboxd) : mine;
  for (const { pid } of pids) kill(pid);
}

type Program = { readonly pid: number; readonly command: string };

const isSandboxd = ({ command }: Program) => /sandboxd serve/.test(command);

function killContainers(home: string): void {
  for (const id of containersOf(home)) runs("docker", ["kill", id]);
}

function inContainers(home: string): Program[] {
  const known = containersOf(home);
  return programs().filter(({ pid }) => known.some((id) => read(`/proc/${pid}/cgroup`).includes(id)));
}

function containersOf(home: string): string[] {
  const filter = `label=handrail.installation=${installationOf(home)}`;
  const ids = execFileSync("docker", ["ps", "-q", "--no-trunc", "--filter", filter]).toString();
  return ids.split("\n").filter((line) => line !== "");
}

/** Programs in a control group of this server's sandboxes. The backend makes those as root, where tests run. */
const belongingTo = (home: string): Program[] =>
  programs().filter(({ pid }) => read(`/proc/${pid}/cgroup`).includes(`/handrail-${installationOf(home)}/`));

/** How a server names what it makes, from its state directory. */
const installationOf = (home: string) => createHash("sha256").update(home).digest("hex").slice(0, 12);

function programs(): Program[] {
  return globSync("/proc/[0-9]*/cmdline")
    .map((file) => ({
      pid: Number(file.split("/")[2]),
      command: read(file).replaceAll("\0", " "),
    }))
    .filter(({ command, pid }) => pid !== process.pid && !command.includes("main.ts") && command !== "");
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

function runs(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
