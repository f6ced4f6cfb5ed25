import { spawn } from "node:child_process";
import { chmodSync, existsSync, linkSync, openSync, readdirSync, readSync, closeSync, writeFileSync } from "node:fs";
import path from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { AppError } from "@handrail/protocol/errors";
import { DISK_FILE } from "@handrail/protocol/sandboxd/disk-messages";
import { makeStage } from "./make-stage.ts";
import { isStage, stageCheckpoints } from "./stage-checkpoints.ts";

/** What belongs to a running process and means nothing in a copy. */
const LIVE_ONLY = ["server.json", "lock", "lock.owner", "lock-journal"];
/** So ends the name of a directory that a running gateway holds, beside its files. */
const LOCK = ".lock";
const CHECKPOINTS = "checkpoints";
/** Where backends keep the disks of conversations. */
const DISK_PLACES = ["sandboxes", "docker", "containerd"];
// All pages in one step: with several, a write in between would start the copy anew.
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Writes the state directory as a gzipped tar archive, also while a server uses it. Databases are copied through
 * SQLite, as one consistent state, and before all else: what they name is then in the archive too. The disk of a workspace
 * is in it only where none of its checkpoints is.
 * @throws AppError `file_exists`; `not_found` where there is no state; `storage_failed`
 */
export async function backupHome(home: string, file: string): Promise<void> {
  if (!existsSync(home)) throw new AppError("not_found", `There is no state directory ${home}. Set HANDRAIL_HOME.`);
  if (existsSync(file)) throw new AppError("file_exists", `There is a file ${file} already. Choose another name.`);
  const { directory: stage, remove } = makeStage(path.dirname(file), ".handrail-backup-");
  try {
    const databases = readdirSync(home).filter((name) => isDatabase(path.join(home, name)));
    for (const name of databases) await copyDatabase(path.join(home, name), path.join(stage, name));
    const archive = path.join(stage, "archive.tar.gz");
    const checkpoints = await stageCheckpoints(home);
    try {
      await pack(archive, { home, stage, databases, checkpoints: checkpoints.directory });
    } finally {
      checkpoints.remove();
    }
    chmodSync(archive, 0o600);
    linkSync(archive, file);
  } finally {
    remove();
  }
}

/** SQLite's file format, §1.3: the first 16 bytes. */
function isDatabase(file: string): boolean {
  if (LIVE_ONLY.includes(path.basename(file))) return false;
  try {
    const descriptor = openSync(file, "r");
    try {
      const head = Buffer.alloc(16);
      readSync(descriptor, head, 0, 16, 0);
      return head.toString("latin1") === "SQLite format 3\0";
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
  try {
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
}

type Parts = {
  readonly home: string;
  readonly stage: string;
  readonly databases: readonly string[];
  readonly checkpoints: string;
};

function pack(archive: string, { home, stage, databases, checkpoints }: Parts): Promise<void> {
  const live = [...LIVE_ONLY, ...databases.flatMap((name) => [name, `${name}-wal`, `${name}-shm`])];
  const isLive = (name: string) => live.includes(name) || name.endsWith(LOCK);
  const others = readdirSync(home).filter((name) => !isLive(name) && name !== CHECKPOINTS && !isStage(name));
  const named = (names: readonly string[]) => names.map((name) => `./${name}`);
  const list = path.join(stage, "names");
  writeFileSync(list, named(others).join("\n"), { mode: 0o600 });
  const kept = existsSync(path.join(checkpoints, CHECKPOINTS)) ? ["-C", checkpoints, `./${CHECKPOINTS}`] : [];
  const last = [...kept, "-C", home, "--verbatim-files-from", "-T", list];
  const excluded = path.join(stage, "excluded");
  writeFileSync(excluded, named(keptDisks(home, checkpoints)).join("\n"), { mode: 0o600 });
  const without = ["--anchored", "--no-wildcards", `--exclude-from=${excluded}`];
  // Disks are files of many gigabytes that are mostly holes.
  const args = ["--sparse", ...without, "-czf", archive, "-C", stage, ...named(databases), ...last];
  return tar(databases.length + others.length + kept.length === 0 ? ["-czf", archive, "-T", "/dev/null"] : args);
}

/**
 * Disks of conversations whose checkpoints are in the archive. A copy of a disk that is mounted and written may be torn,
 * and would keep the files from coming back from the checkpoint.
 */
function keptDisks(home: string, checkpoints: string): string[] {
  const root = path.join(checkpoints, CHECKPOINTS);
  const lineages = namesIn(root).map((lineage) => path.join(root, lineage, "refs"));
  const kept = new Set(lineages.flatMap(namesIn));
  return DISK_PLACES.flatMap((place) =>
    namesIn(path.join(home, place))
      .filter((id) => kept.has(id))
      .map((id) => `${place}/${id}/${DISK_FILE}`),
  );
}

const namesIn = (directory: string): readonly string[] => (existsSync(directory) ? readdirSync(directory) : []);

/** Runs tar. Its code 1 says that a file changed while it was read: a workspace in use, which is as it should be. */
function tar(args: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn("tar", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
  child.on("error", (cause) => reject(failed("tar is not installed.", cause)));
  child.on("close", (code) => (code === 0 || code === 1 ? resolve() : reject(failed(said.trim()))));
  return promise;
}

const failed = (reason: string, cause?: unknown) =>
  new AppError("storage_failed", `The backup could not be written: ${reason}`, {}, { cause });
