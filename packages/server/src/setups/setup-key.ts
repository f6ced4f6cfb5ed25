import { createHash } from "node:crypto";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { byteText, type SnapshotEntry } from "@handrail/protocol/snapshots";
import type { Trees } from "./merge-layer.ts";

/** Files that say what a dependency install gives. */
const LOCKFILES: ReadonlySet<string> = new Set(
  `package.json package-lock.json npm-shrinkwrap.json yarn.lock .yarnrc.yml pnpm-lock.yaml pnpm-workspace.yaml bun.lock
  bun.lockb bunfig.toml deno.json deno.lock .npmrc requirements.txt pyproject.toml setup.py setup.cfg environment.yml
  poetry.lock uv.lock Pipfile Pipfile.lock pdm.lock Cargo.toml Cargo.lock go.sum go.mod Gemfile Gemfile.lock
  composer.json composer.lock mix.exs mix.lock pom.xml build.gradle build.gradle.kts gradle.lockfile pubspec.yaml
  pubspec.lock .tool-versions .nvmrc .node-version .python-version rust-toolchain
  rust-toolchain.toml`.split(/\s+/),
);
const PASSED_OVER: ReadonlySet<string> = new Set([".git", "node_modules", ".venv", "vendor"]);
const OWN_DIRECTORY = ".handrail";
const MAX_DEPTH = 6;
/** A line of the script that names more that its result depends on. */
const NAMED = /^#\s*handrail-key:\s*(\S.*?)\s*$/gm;

type Whose = Pick<ConversationState, "ownerId" | "teamId" | "source">;

/**
 * Names what a set-up belongs to: one owner's repository, at one branch, personal or for one team, with whose secrets and
 * rules it ran. Its results are kept under it alone.
 */
export function setupPlace({ ownerId, teamId, source }: Whose): string {
  return `setup-${hash(["place 1", ownerId, source, ...teamPart(teamId)]).slice(0, 40)}`;
}

/** Nothing for a personal one, so that what is kept stays. */
const teamPart = (teamId: string | null) => (teamId === null ? [] : [teamId]);

export type KeyParts = {
  readonly state: Whose & Pick<ConversationState, "sandbox">;
  readonly command: string;
  /** What the sandbox says of its own system. */
  readonly system: string;
  /** The workspace before the set-up. */
  readonly root: string;
  readonly trees: Trees;
  /** The text of the repository's own script. */
  readonly script: string;
};

/** What a set-up's result depends on: equal keys, equal results. */
export function setupKey({ state, command, system, root, trees, script }: KeyParts): string {
  const { network: _, ...sandbox } = state.sandbox;
  const made = Object.entries(sandbox).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const named = Array.from(script.matchAll(NAMED), ([, path = ""]) => path);
  const files = [...lockfiles(root, trees), [OWN_DIRECTORY, ...named].map((path) => [path, at(root, path, trees)])];
  return hash(["key 1", state.ownerId, state.source, made, command, system, files, ...teamPart(state.teamId)]);
}

type File = readonly [path: string, content: unknown];

function lockfiles(root: string, trees: Trees): File[] {
  const found: File[] = [];
  const look = (tree: string, path: string, depth: number): void => {
    for (const entry of trees(tree)?.entries ?? []) {
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.type === "file" && LOCKFILES.has(entry.name)) found.push([below, content(entry, trees)]);
      const into = entry.type === "directory" && depth < MAX_DEPTH && !PASSED_OVER.has(entry.name);
      if (into) look(entry.tree, below, depth + 1);
    }
  };
  look(root, "", 0);
  return found;
}

/** What is at a path, whatever its times. */
function at(root: string, path: string, trees: Trees): unknown {
  let tree: string | undefined = root;
  let entry: SnapshotEntry | undefined;
  for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
    entry = (tree === undefined ? [] : (trees(tree)?.entries ?? [])).find(
      (one) => byteText(one.name) === byteText(name),
    );
    tree = entry?.type === "directory" ? entry.tree : undefined;
  }
  return entry === undefined ? null : content(entry, trees);
}

function content(entry: SnapshotEntry, trees: Trees): unknown {
  if (entry.type === "file") return [entry.mode & 0o111, entry.size, entry.blobs];
  if (entry.type === "directory") return trees(entry.tree)?.entries.map((one) => [one.name, content(one, trees)]);
  return entry.type === "link" ? entry.target : entry.type;
}

const hash = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex");
