import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { carriesToken } from "../link-token.ts";
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
  return eachProcess("cmdline", (words) => {
    const at = basename(words[0] ?? "") === "bwrap" ? words.indexOf(MARK) : -1;
    if (at > 0 && words[at - 1] === "--setenv") return words[at + 1];
    const named = words.indexOf(SANDBOX_ARGUMENT);
    return named > 0 ? words[named + 1] : undefined;
  });
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

/** Processes of this user whose environment at their start carried the mark. A program can take it off. */
export function findMarked(): readonly Found[] {
  return eachProcess("environ", (words) => {
    return words.find((word) => word.startsWith(`${MARK}=`))?.slice(MARK.length + 1);
  });
}

/** Synchronous: the kernel answers from memory, and a look at a process must not last longer than the process. */
function eachProcess(
  file: "cmdline" | "environ",
  sandboxIn: (words: readonly string[]) => string | undefined,
): readonly Found[] {
  const found: Found[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const sandboxId = sandboxIn(wordsOf(`/proc/${name}/${file}`));
    if (sandboxId !== undefined) found.push({ pid: Number(name), sandboxId });
  }
  return found;
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
