import type { FileChange } from "@handrail/protocol/changes";
import { pathText } from "@handrail/protocol/paths";

type Counts = { readonly added: number; readonly removed: number };

const STATUSES: Readonly<Record<string, FileChange["status"]>> = {
  A: "added",
  C: "added",
  M: "modified",
  D: "deleted",
  R: "renamed",
  T: "type",
};

/** Reads `git diff-tree -r -M -z --raw --numstat` (git-diff(1), "Raw output format" and "Other diff formats"). */
export function readTreeChanges(output: Buffer): FileChange[] {
  const fields = output.toString("latin1").split("\0").slice(0, -1);
  const changes: Omit<FileChange, "binary">[] = [];
  let at = 0;
  for (;;) {
    const letter = /^:.* ([A-Z])\d*$/.exec(fields[at] ?? "")?.[1];
    if (letter === undefined) break;
    const paths = fields.slice(at + 1, at + ("RC".includes(letter) ? 3 : 2)).map(shown);
    const oldPath = letter === "R" ? { oldPath: paths[0] ?? "" } : {};
    changes.push({ path: paths.at(-1) ?? "", status: STATUSES[letter] ?? "modified", ...oldPath });
    at += 1 + paths.length;
  }
  const counts = readCounts(fields.slice(at));
  return changes.map((change) => {
    const count = counts.get(change.path);
    return count === undefined ? { ...change, binary: true } : { ...change, ...count, binary: false };
  });
}

/** By new path; binary files have none. A rename's paths follow in fields of their own. */
function readCounts(fields: readonly string[]): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (let at = 0; at < fields.length; at++) {
    const [added = "", removed = "", path = ""] = tabbed(fields[at] ?? "");
    const name = path === "" ? (fields[at + 2] ?? "") : path;
    if (path === "") at += 2;
    if (added !== "-") counts.set(shown(name), { added: Number(added), removed: Number(removed) });
  }
  return counts;
}

/** Three fields; the path may hold tabs. */
function tabbed(field: string): string[] {
  const first = field.indexOf("\t");
  const second = field.indexOf("\t", first + 1);
  return [field.slice(0, first), field.slice(first + 1, second), field.slice(second + 1)];
}

const shown = (path: string) => pathText(Buffer.from(path, "latin1"));
