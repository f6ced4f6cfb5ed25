import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
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
  try {
    return readFileSync(path, "utf8").split("\0");
  } catch {
    return [];
  }
}
