import type { FileChange } from "@handrail/protocol/changes";

/** What a build or a test run left behind: a file, or a directory of such files that is named once. */
export type Leftover = { readonly path: string; readonly files: number };

/** Directories that tools make anew: Python, Node, coverage of tests, editors. */
const DIRECTORIES: ReadonlySet<string> = new Set([
  "__pycache__",
  ".pytest_cache",
  ".mypy_cache",
  ".ruff_cache",
  ".tox",
  ".venv",
  "htmlcov",
  "node_modules",
  "dist",
  "coverage",
  ".nyc_output",
  ".next",
  ".turbo",
  ".cache",
  ".gradle",
  ".idea",
]);

const FILES = /\.(?:py[co]|log|class|o|tmp|swp|tsbuildinfo)$|^(?:\.coverage|\.DS_Store|Thumbs\.db|core|nohup\.out)$/;

/**
 * Added files that look as if a build or a test run had left them behind, by path. Files that were there before, or
 * were only changed, are never named.
 */
export function leftovers(changes: readonly FileChange[]): readonly Leftover[] {
  const found = new Map<string, number>();
  for (const { path, status } of changes) {
    const name = status === "added" ? leftoverOf(path) : null;
    if (name !== null) found.set(name, (found.get(name) ?? 0) + 1);
  }
  return [...found]
    .map(([path, files]) => ({ path, files }))
    .toSorted((left, right) => left.path.localeCompare(right.path));
}

/** The outermost directory that a tool made, with a slash at its end; else the file itself where its name says so. */
function leftoverOf(path: string): string | null {
  const parts = path.split("/");
  const depth = parts.slice(0, -1).findIndex((part) => DIRECTORIES.has(part) || part.endsWith(".egg-info"));
  if (depth >= 0) return `${parts.slice(0, depth + 1).join("/")}/`;
  return FILES.test(parts.at(-1) ?? "") ? path : null;
}
