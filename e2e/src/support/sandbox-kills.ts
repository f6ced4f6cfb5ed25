import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { askDocker } from "./docker-socket.ts";
import type { TestServer } from "./test-server.ts";

export type KilledBackend = "docker" | "process";

/** The isolating backends that this machine can run. Which ones are missing is printed by the caller of the suite. */
export function workingBackends(): readonly KilledBackend[] {
  const backends: KilledBackend[] = [];
  if (works("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"])) backends.push("process");
  if (works("docker", ["version"])) backends.push("docker");
  return backends;
}

/** What runs for one conversation, seen from the host: to be killed as a crash would. */
export type RunningSandbox = {
  /** Each start of a sandbox has its own. */
  readonly id: string;
  /** Sandboxd alone: what else runs in the sandbox goes on, if the sandbox does. Says whether there was one to kill. */
  killSandboxd(): Promise<boolean>;
  /** The container, or all processes at once. Says whether there was anything to kill. */
  killAll(): Promise<boolean>;
};

/** The sandbox that runs for a conversation now; undefined while there is none. */
export async function findRunningSandbox(
  server: TestServer,
  backend: KilledBackend,
  conversationId: string,
): Promise<RunningSandbox | undefined> {
  const installation = installationOf(server.home);
  return backend === "docker"
    ? findContainer(`handrail-${installation}-${conversationId}`)
    : findProcesses(`/handrail-${installation}/`, conversationId);
}

async function findContainer(name: string): Promise<RunningSandbox | undefined> {
  const shown = await askDocker("GET", `/containers/${name}/json`);
  if (shown.status !== 200) return undefined;
  const { Id: id, State } = shown.body as { readonly Id: string; readonly State: { readonly Running: boolean } };
  if (!State.Running) return undefined;
  return {
    id,
    killSandboxd: async () => killAny(programsIn(id).filter(isSandboxd)),
    killAll: async () => (await askDocker("POST", `/containers/${id}/kill`)).status === 204,
  };
}

/** The backend puts a sandbox into a control group of its own where it is root, as tests are. */
async function findProcesses(groups: string, conversationId: string): Promise<RunningSandbox | undefined> {
  const found = programsIn(groups).find(({ words }) => words.some((word) => word.includes(conversationId)));
  const sandbox = found?.groups.split(groups)[1]?.split("\n")[0];
  if (sandbox === undefined) return undefined;
  const mine = () => programsIn(`${groups}${sandbox}\n`);
  return {
    id: sandbox,
    killSandboxd: async () => killAny(mine().filter(isSandboxd)),
    killAll: async () => killAny(mine()),
  };
}

type Program = { readonly pid: number; readonly words: readonly string[]; readonly groups: string };

const isSandboxd = ({ words }: Program) => path.basename(words[0] ?? "") === "sandboxd" && words[1] === "serve";

/** How a server names what it makes, from its state directory. */
const installationOf = (home: string) => createHash("sha256").update(home).digest("hex").slice(0, 12);

/** Programs in control groups whose names contain a text. */
function programsIn(group: string): Program[] {
  return globSync("/proc/[0-9]*").flatMap((directory) => {
    const groups = read(`${directory}/cgroup`);
    if (!groups.includes(group)) return [];
    return [{ pid: Number(path.basename(directory)), words: read(`${directory}/cmdline`).split("\0"), groups }];
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** False when all of them had ended by themselves in the meantime. */
const killAny = (programs: readonly Program[]): boolean => programs.map(kill).includes(true);

function kill({ pid }: Program): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
