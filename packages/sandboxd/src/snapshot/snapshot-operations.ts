import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import type { SnapshotRules } from "@handrail/protocol/snapshots";
import { readAt } from "../files/file-content.ts";
import type { Root } from "../files/resolve-path.ts";
import type { Handlers } from "../handlers.ts";
import { applyPlan, type Applied } from "./restore/apply-plan.ts";
import { objectsOf, type KnownTree } from "./objects/known-tree.ts";
import { KnownTreeFile } from "./take/known-tree-file.ts";
import { openNative } from "./native/native.ts";
import { namesIn, openPlace } from "./native/open-place.ts";
import { nameInTurns, ObjectWriter, objectName } from "./objects/object-writer.ts";
import { planRestore, type PlannedTree } from "./restore/restore-plan.ts";
import { StagedObjects } from "./objects/staged-objects.ts";
import { walkWorkspace, type Walked } from "./take/walk.ts";
import { isWorthThread, MIN_BYTES_FOR_THREAD } from "./restore/worth-thread.ts";
import { Writer } from "./restore/writer.ts";
import { ChangedPaths } from "../workspace/changed-paths.ts";
import { WrittenFiles } from "../workspace/written-files.ts";

type SnapshotHandlers = Pick<Handlers, `snapshot.${"take" | "read" | "keep" | "put" | "restore"}`>;

const MAX_PART_BYTES = 4 * 1024 * 1024;
const MAX_NEEDED = 50_000;
/** What was kept or restored is written down when nothing else is asked for: a fork does not wait for it twice. */
const WRITE_DOWN_AFTER_MS = 500;

/** What snapshots share with other operations. */
export type SnapshotSurroundings = {
  /** Gets the files of a workspace that was empty. */
  readonly written: WrittenFiles;
  /** Gets the paths of what restores change. */
  readonly changed: ChangedPaths;
  /** Whether nothing but snapshots could have changed files since this sandboxd started. */
  readonly isUntouched: () => boolean;
  /** How often all files were replaced by first ones. */
  readonly replaced: () => number;
};

type Wanted = OperationArgs<"snapshot.restore">;

/** A workspace without files that gets those of a snapshot while their pieces come. */
type Filling = { readonly root: string; readonly done: Promise<Applied> };

const ALONE: SnapshotSurroundings = {
  written: new WrittenFiles(),
  changed: new ChangedPaths(),
  isUntouched: () => false,
  replaced: () => 0,
};

/** The operations that take and restore snapshots. One at a time. */
export function snapshotOperations(
  root: Root,
  stateDirectory: string,
  around: SnapshotSurroundings = ALONE,
): SnapshotHandlers {
  const snapshots = new Snapshots(root, stateDirectory, around);
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
  readonly #around: SnapshotSurroundings;
  readonly #files: { readonly pack: string; readonly staged: string };
  readonly #file: KnownTreeFile;
  /** The last snapshot that the server has; undefined before it is read from the state directory. */
  #kept: KnownTree | null | undefined;
  #taken: KnownTree | undefined;
  #staged: StagedObjects | undefined;
  #filling: Filling | undefined;
  /** Started ahead. */
  #writer: Writer | undefined;
  /** What the workspace was left as, when it had nothing in it before. */
  #left: KnownTree | undefined;
  #leftAfter = 0;
  #writing: NodeJS.Timeout | undefined;
  #working = false;

  constructor(root: Root, state: string, around: SnapshotSurroundings) {
    this.#around = around;
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
    const kept = await this.#keptTree();
    const previous = kept?.tree === base ? kept : undefined;
    const objects = new ObjectWriter(this.#files.pack, await objectsOf(previous));
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

  async put({ offset, data, fill }: OperationArgs<"snapshot.put">): Promise<OperationResult<"snapshot.put">> {
    if (offset === 0) await this.#forgetStaged();
    const staged = this.#openStaged();
    if (staged.size !== offset) throw new AppError("bad_request", "Put the objects in order.", { size: staged.size });
    try {
      if (fill !== undefined && offset + data.length >= MIN_BYTES_FOR_THREAD) this.#writer = new Writer();
      staged.append(data);
      if (fill !== undefined) await this.#beginFilling(fill, staged);
    } catch (thrown) {
      await this.#forgetStaged();
      throw thrown;
    }
    return { size: staged.size };
  }

  async restore(wanted: Wanted): Promise<OperationResult<"snapshot.restore">> {
    const staged = this.#openStaged();
    try {
      staged.end();
      const filled = await this.#filled(wanted.root);
      const { tree, needed, ...done } = filled ?? (await this.#applied(wanted, staged));
      if (tree !== undefined) this.#remember(tree);
      return { needed, ...done, failed: [...done.failed] };
    } finally {
      await this.#forgetStaged();
    }
  }

  /** Nothing happens where there are files already: then they are looked at, once all pieces are there. */
  async #beginFilling({ root, ...rules }: Wanted, staged: StagedObjects): Promise<void> {
    const { at, close } = openPlace(this.#workspace);
    try {
      if (namesIn(at).length > 0) return;
    } finally {
      close();
    }
    const present = await this.#present(rules);
    const { tree } = await planRestore(root, { present, previous: undefined }, staged, true);
    if (tree === undefined) return;
    const done = this.#apply(tree, staged, true);
    done.catch(() => {});
    this.#filling = { root, done };
  }

  /** Undefined when the workspace was not filled, or not wholly: then all is looked at. @throws AppError `disk_full` */
  async #filled(root: string): Promise<Restored | undefined> {
    const filling = this.#filling;
    if (filling?.root !== root) return undefined;
    const applied = await filling.done;
    return applied.failed.length > 0 ? undefined : { ...applied, needed: [] };
  }

  async #applied({ root, ...rules }: Wanted, staged: StagedObjects): Promise<Restored> {
    const previous = (await this.#keptTree()) ?? undefined;
    const present = this.#asLeft() ?? (await this.#present(rules, previous));
    const { tree: plan, needed } = await planRestore(root, { present, previous }, staged);
    if (plan === undefined) {
      return { tree: undefined, needed: [...needed].slice(0, MAX_NEEDED), written: 0, removed: 0, failed: [] };
    }
    const { tree, ...counts } = await this.#apply(plan, staged, present.entries.size === 0);
    return { tree: counts.failed.length === 0 ? tree : undefined, needed: [], ...counts };
  }

  /** `empty`: there is nothing in the workspace. */
  async #apply(plan: PlannedTree, staged: StagedObjects, empty: boolean): Promise<Applied> {
    const { written, changed, replaced } = this.#around;
    written.take();
    const tells = empty && hasGitIndex(plan) ? written : undefined;
    const native = await openNative();
    const writer = empty && isWorthThread(plan) ? this.#takeWriter() : undefined;
    try {
      const apply = { workspace: this.#workspace, staged, native, written: tells, changed, writer };
      const applied = await applyPlan(apply, plan);
      const isKnown = applied.failed.length === 0 && (empty || this.#left === plan.present);
      this.#left = isKnown ? applied.tree : undefined;
      this.#leftAfter = replaced();
      return applied;
    } finally {
      await writer?.close();
    }
  }

  #takeWriter(): Writer {
    const writer = this.#writer ?? new Writer();
    this.#writer = undefined;
    return writer;
  }

  /** What is in the workspace, where that is sure without a look at it. */
  #asLeft(): KnownTree | undefined {
    const { isUntouched, replaced } = this.#around;
    return isUntouched() && this.#leftAfter === replaced() ? this.#left : undefined;
  }

  async #present(rules: SnapshotRules, previous?: KnownTree): Promise<KnownTree> {
    const objects = { add: objectName, addInTurns: nameInTurns };
    const native = await openNative();
    return (await walkWorkspace({ workspace: this.#workspace, rules, previous, objects, native })).tree;
  }

  #openStaged(): StagedObjects {
    return (this.#staged ??= new StagedObjects(this.#files.staged));
  }

  async #forgetStaged(): Promise<void> {
    this.#staged?.close();
    this.#staged = undefined;
    await this.#filling?.done.catch(() => {});
    this.#filling = undefined;
    await this.#writer?.close();
    this.#writer = undefined;
    rmSync(this.#files.staged, { force: true });
  }

  async #keptTree(): Promise<KnownTree | null> {
    return (this.#kept ??= await this.#file.read());
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

/** `tree` is what the workspace now is; undefined when it is not wholly that. */
type Restored = Omit<Applied, "tree"> & { readonly tree: KnownTree | undefined; readonly needed: string[] };

const hasGitIndex = (plan: PlannedTree): boolean => plan.entries.get(".git")?.directory?.entries.has("index") === true;
