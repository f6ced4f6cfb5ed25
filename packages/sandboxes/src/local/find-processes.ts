import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { carriesToken } from "../link-token.ts";
import type { Look } from "./kill-all.ts";
import { SANDBOX_ARGUMENT } from "./serve-command.ts";

/** One process of this machine. */
export type Found = { readonly pid: number; readonly sandboxId: string };

/** The variable whose value marks the processes of a sandbox. */
export const MARK = "HANDRAIL_SANDBOX";

/**
 * Processes of bubblewrap and sandboxd that were started for sandboxes, read from their command lines. Killing them
 * ends all that runs inside, since sandboxd is its first process. It finds them also when the server that started them
 * has been killed before it could write anything down.
 */
export function findBoxes(): readonly Found[] {
  return processes().flatMap((pid) => {
    const sandboxId = sandboxNamed(wordsOf(`/proc/${pid}/cmdline`));
    return sandboxId === undefined ? [] : [{ pid, sandboxId }];
  });
}

function sandboxNamed(words: readonly string[]): string | undefined {
  const at = basename(words[0] ?? "") === "bwrap" ? words.indexOf(MARK) : -1;
  if (at > 0 && words[at - 1] === "--setenv") return words[at + 1];
  const named = words.indexOf(SANDBOX_ARGUMENT);
  return named > 0 ? words[named + 1] : undefined;
}

/**
 * Those of one sandbox that the server made: with the token of that start in their environment, which nobody else knows.
 * Whoever else has such arguments is left alone. sandboxd itself shows its environment to root alone: as another user it
 * is told by its user and by having a process namespace of its own, as are sandboxes from before there were tokens.
 */
export function boxesOf(sandboxId: string, token: string | undefined): readonly number[] {
  return findBoxes()
    .filter((box) => box.sandboxId === sandboxId && isOurs(box.pid, token))
    .map((box) => box.pid);
}

function isOurs(pid: number, token: string | undefined): boolean {
  const environment = wordsOf(`/proc/${pid}/environ`);
  if (token !== undefined && environment.length > 0) return carriesToken(environment, token);
  const status = textOf(`/proc/${pid}/status`) ?? "";
  const user = /^Uid:\s+(\d+)/m.exec(status)?.[1];
  const isOfUser = process.getuid?.() === 0 || user === String(process.getuid?.());
  return isOfUser && /^NSpid:\s+\d+\s+\d/m.test(status);
}

/**
 * Processes of one sandbox by the mark in their environment at their start, which a program can take off: with a token
 * only those that were given that too, which is sandboxd alone. `untold` counts those of whose environment the kernel
 * knows nothing yet.
 */
export function lookForMarked(sandboxId: string, token?: string): Required<Look> {
  const pids: number[] = [];
  let untold = 0;
  for (const pid of processes()) {
    const text = textOf(`/proc/${pid}/environ`) ?? "unreadable";
    if (text === "" && !isWithoutEnvironment(pid)) untold += 1;
    const environment = text.split("\0");
    const isMarked = environment.includes(`${MARK}=${sandboxId}`);
    if (isMarked && (token === undefined || carriesToken(environment, token))) pids.push(pid);
  }
  return { pids, untold };
}

/** Where a process's memory and its environment are in /proc/…/stat, from its state on. Source: proc(5) */
const VSIZE = 20;
const ENV_START = 47;
const ENV_END = 48;

/**
 * Whether there is nothing to know: it has ended, is the kernel's, or was started with none. Between two programs (execve(2))
 * it has the memory of the next one and no place for an environment yet; where it has one by now, it was between two before.
 */
function isWithoutEnvironment(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`) ?? "";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [start, end] = [fields[ENV_START], fields[ENV_END]];
  return !(Number(fields[VSIZE]) > 0) || (start === end && end !== "0");
}

/** Synchronous: the kernel answers from memory, and a look at a process must not last longer than the process. */
function processes(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** None for a process that has ended or that is not ours to look at. */
function wordsOf(path: string): readonly string[] {
  return textOf(path)?.split("\0") ?? [];
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
