import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { findBoxes } from "@handrail/sandboxes/local/find-processes";
import { askDocker } from "./docker-socket.ts";
import { installationOf } from "./installation-of.ts";
import type { TestServer } from "./test-server.ts";

export type KilledBackend = "docker" | "process";

/** Not the whole root: bwrap fails when a mount of another program goes away below what it binds. */
const PROGRAMS = ["/usr", "/bin", "/lib", "/lib64"].flatMap((place) => ["--ro-bind-try", place, place]);

/** The isolating backends that this machine can run. Which ones are missing is printed by the caller of the suite. */
export function workingBackends(): readonly KilledBackend[] {
  const backends: KilledBackend[] = [];
  if (works("bwrap", ["--unshare-all", ...PROGRAMS, "true"])) backends.push("process");
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
  if (backend === "process") return findProcesses(conversationId);
  return findContainer(`handrail-${installationOf(server.home)}-${conversationId}`);
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

async function findProcesses(conversationId: string): Promise<RunningSandbox | undefined> {
  const boxes = () => findBoxes().map(({ pid, sandboxId }) => ({ ...program(pid), sandboxId }));
  const id = boxes().find(({ words }) => words.some((word) => word.includes(conversationId)))?.sandboxId;
  if (id === undefined) return undefined;
  const own = () => boxes().filter(({ sandboxId }) => sandboxId === id);
  // All that runs inside ends with sandboxd, its first process.
  return { id, killSandboxd: async () => killAny(own().filter(isSandboxd)), killAll: async () => killAny(own()) };
}

type Program = { readonly pid: number; readonly words: readonly string[] };

const isSandboxd = ({ words }: Program) => path.basename(words[0] ?? "") === "sandboxd" && words[1] === "serve";

/** Programs in control groups whose names contain a text, wherever a daemon has put them. */
const programsIn = (group: string): Program[] =>
  globSync("/proc/[0-9]*")
    .filter((directory) => read(`${directory}/cgroup`).includes(group))
    .map((directory) => program(Number(path.basename(directory))));

const program = (pid: number): Program => ({ pid, words: read(`/proc/${pid}/cmdline`).split("\0") });

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** False when all of them had ended by themselves in the meantime. */
const killAny = (programs: readonly Program[]): boolean => programs.map(({ pid }) => killProgram(pid)).includes(true);

/** False when it had ended already. */
export function killProgram(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
}
