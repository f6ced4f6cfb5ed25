import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { readAt } from "../files/file-content.ts";
import type { Root } from "../files/resolve-path.ts";
import type { Handlers } from "../handlers.ts";
import { applyPlan } from "./apply-plan.ts";
import { objectsOf, type KnownTree } from "./known-tree.ts";
import { KnownTreeFile } from "./known-tree-file.ts";
import { openNative } from "./native.ts";
import { ObjectWriter, objectName } from "./object-writer.ts";
import { planRestore, type PlannedTree } from "./restore-plan.ts";
import { StagedObjects } from "./staged-objects.ts";
import { walkWorkspace, type Walked } from "./walk.ts";
import { WrittenFiles } from "../workspace/written-files.ts";

type SnapshotHandlers = Pick<Handlers, `snapshot.${"take" | "read" | "keep" | "put" | "restore"}`>;

const MAX_PART_BYTES = 4 * 1024 * 1024;
const MAX_NEEDED = 50_000;
/** What was kept or restored is written down when nothing else is asked for: a fork does not wait for it twice. */
const WRITE_DOWN_AFTER_MS = 500;

/** The operations that take and restore snapshots. One at a time. `written` gets the files of a workspace that was empty. */
export function snapshotOperations(
  root: Root,
  stateDirectory: string,
  written: WrittenFiles = new WrittenFiles(),
): SnapshotHandlers {
  const snapshots = new Snapshots(root, stateDirectory, written);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Value>(work: () => Promise<Value> | Value): Promise<Value> => {
    const next = last.then(() => snapshots.during(work));
    last = next.catch(() => {});
    return next;
  };
  return {
    "snapshot.take": (args) => inTurn(() => snapshots.take(args)),
    "snapshot.read": (args) => inTurn(() => snapshots.read(args)),
    "snapshot.keep": (args) => inTurn(() => snapshots.keep(args)),
    "snapshot.put": (args) => inTurn(() => snapshots.put(args)),
    "snapshot.restore": (args) => inTurn(() => snapshots.restore(args)),
  };
}

class Snapshots {
  readonly #workspace: string;
  readonly #written: WrittenFiles;
  readonly #files: { readonly pack: string; readonly staged: string };
  readonly #file: KnownTreeFile;
  /** The last snapshot that the server has; undefined before it is read from the state directory. */
  #kept: KnownTree | null | undefined;
  #taken: KnownTree | undefined;
  #staged: StagedObjects | undefined;
  #writing: NodeJS.Timeout | undefined;
  #working = false;

  constructor(root: Root, state: string, written: WrittenFiles) {
    this.#written = written;
    this.#workspace = Buffer.from(root.workspace).toString("latin1");
    this.#files = { pack: join(state, "snapshot.pack"), staged: join(state, "restore.pack") };
    this.#file = new KnownTreeFile(join(state, "snapshot.json"));
  }

  /** Nothing is written down during the work. */
  async during<Value>(work: () => Promise<Value> | Value): Promise<Value> {
    this.#working = true;
    try {
      return await work();
    } finally {
      this.#working = false;
    }
  }

  async take({ base, ...rules }: OperationArgs<"snapshot.take">): Promise<OperationResult<"snapshot.take">> {
    const startedAt = performance.now();
    const native = await openNative();
    const kept = this.#keptTree();
    const previous = kept?.tree === base ? kept : undefined;
    const objects = new ObjectWriter(this.#files.pack, objectsOf(previous));
    let walked: Walked;
    try {
      walked = await walkWorkspace({ workspace: this.#workspace, rules, previous, objects, native });
    } finally {
      objects.close();
    }
    const { tree, ...sums } = walked;
    this.#taken = tree;
    const sent = { newObjects: objects.count, packBytes: objects.bytes };
    return { root: tree.tree, ...sums, leftOut: [...sums.leftOut], ...sent, durationMs: performance.now() - startedAt };
  }

  read({ root, offset, length }: OperationArgs<"snapshot.read">): OperationResult<"snapshot.read"> {
    if (this.#taken?.tree !== root) throw new AppError("bad_request", "That is not the last snapshot that was taken.");
    const file = openSync(this.#files.pack, "r");
    try {
      const { size } = statSync(this.#files.pack);
      const wanted = Math.max(0, Math.min(length, MAX_PART_BYTES, size - offset));
      return { data: readAt(file, offset, wanted).toString("base64"), size };
    } finally {
      closeSync(file);
    }
  }

  keep({ root }: OperationArgs<"snapshot.keep">): OperationResult<"snapshot.keep"> {
    if (this.#taken?.tree === root) this.#remember(this.#taken);
    this.#taken = undefined;
    rmSync(this.#files.pack, { force: true });
    return {};
  }

  put({ offset, data }: OperationArgs<"snapshot.put">): OperationResult<"snapshot.put"> {
    if (offset === 0) this.#forgetStaged();
    const staged = this.#openStaged();
    if (staged.size !== offset) throw new AppError("bad_request", "Put the objects in order.", { size: staged.size });
    try {
      staged.append(Buffer.from(data, "base64"));
    } catch (thrown) {
      this.#forgetStaged();
      throw thrown;
    }
    return { size: staged.size };
  }

  async restore({ root, ...rules }: OperationArgs<"snapshot.restore">): Promise<OperationResult<"snapshot.restore">> {
    const previous = this.#keptTree() ?? undefined;
    const objects = { add: objectName };
    const native = await openNative();
    const { tree: present } = await walkWorkspace({ workspace: this.#workspace, rules, previous, objects, native });
    const staged = this.#openStaged();
    try {
      staged.end();
      const { tree, needed } = planRestore(root, { present, previous }, staged);
      if (tree === undefined) return { needed: [...needed].slice(0, MAX_NEEDED), written: 0, removed: 0, failed: [] };
      this.#written.take();
      const wasEmpty = present.entries.size === 0;
      const apply = {
        workspace: this.#workspace,
        staged,
        native,
        written: wasEmpty && hasGitIndex(tree) ? this.#written : undefined,
      };
      const { tree: restored, written, removed, failed } = await applyPlan(apply, tree);
      if (failed.length === 0) this.#remember(restored);
      return { needed: [], written, removed, failed: [...failed] };
    } finally {
      this.#forgetStaged();
    }
  }

  #openStaged(): StagedObjects {
    return (this.#staged ??= new StagedObjects(this.#files.staged));
  }

  #forgetStaged(): void {
    this.#staged?.close();
    this.#staged = undefined;
    rmSync(this.#files.staged, { force: true });
  }

  #keptTree(): KnownTree | null {
    if (this.#kept === undefined) this.#kept = this.#file.read();
    return this.#kept;
  }

  /** A sandboxd that starts anew before it is written down reads all files once. */
  #remember(tree: KnownTree): void {
    this.#kept = tree;
    this.#writeSoon(tree);
  }

  #writeSoon(tree: KnownTree): void {
    clearTimeout(this.#writing);
    this.#writing = setTimeout(() => {
      this.#writeDown(tree).catch(() => {});
    }, WRITE_DOWN_AFTER_MS).unref();
  }

  async #writeDown(tree: KnownTree): Promise<void> {
    const ended = await this.#file.write(tree, () => !this.#working && this.#kept === tree);
    if (!ended && this.#kept === tree) this.#writeSoon(tree);
  }
}

const hasGitIndex = (plan: PlannedTree): boolean => plan.entries.get(".git")?.directory?.entries.has("index") === true;
