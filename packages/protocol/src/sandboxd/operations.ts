import { z } from "zod";
import { FileChange, FileEdit } from "../changes.ts";
import { LeftOut, ObjectName, SnapshotRules } from "../snapshots.ts";

const Bytes = z.number().int().nonnegative();
const TimeoutMs = z.number().int().nonnegative().max(3_600_000);
/** Relative paths start at the workspace. Written as `paths.ts` says. */
const Path = z.string().min(1).max(8192);
/** `workspace`: refuse paths that lead out of the workspace, through links too. `sandbox`: any path. */
const Within = z.enum(["workspace", "sandbox"]);
const TerminalName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be 1 to 32 of a-z, 0-9 and -");
const Hash = z.string();
const Port = z.number().int().min(1).max(65_535);

/**
 * What a terminal has to say: the text since the last report, as a reader would see it (no control codes, carriage
 * returns applied), head and tail when over the cap. `running`: the command goes on. `exitCode` is null while running
 * and when the shell itself ended. `offset` is where this report's raw bytes end in the terminal's output.
 */
export const TerminalReport = z.object({
  terminal: z.string(),
  output: z.string(),
  outputBytes: Bytes,
  /** Set when the output was over the cap: the path of the file in the sandbox that holds all of it, up to a cap. */
  outputFile: z.string().optional(),
  exitCode: z.number().int().nullable(),
  running: z.boolean(),
  cwd: z.string(),
  offset: Bytes,
});
export type TerminalReport = z.infer<typeof TerminalReport>;

export const FileEntry = z.object({
  name: z.string(),
  type: z.enum(["file", "directory", "link", "other"]),
  size: Bytes,
  executable: z.boolean(),
  /** The target, for links. */
  target: z.string().optional(),
});
export type FileEntry = z.infer<typeof FileEntry>;

/** Shapes are made when they are first asked for: sandboxd is small, and needs few of them in most of its lives. */
function operation<Args extends z.ZodType, Result extends z.ZodType>(args: () => Args, result: () => Result) {
  const made: { args?: Args; result?: Result } = {};
  return {
    get args(): Args {
      return (made.args ??= args());
    },
    get result(): Result {
      return (made.result ??= result());
    },
  };
}

/** A TCP port that a program in the sandbox listens on. `program` is its name, where it can be told. */
export const ListeningPort = z.object({ port: Port, program: z.string().max(64).optional() });
export type ListeningPort = z.infer<typeof ListeningPort>;

/** Every operation of sandboxd: the shape of its arguments and of its result. Errors are rows of the error table. */
export const OPERATIONS = {
  /** Runs a command in a named persistent shell, made at first use. `terminal_busy` when one is running there. */
  "terminal.run": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        command: z.string().max(1_000_000),
        timeoutMs: TimeoutMs,
        capBytes: Bytes,
      }),
    () => TerminalReport,
  ),
  /** Waits for the running command to end or to say something new, up to the timeout. */
  "terminal.wait": operation(
    () => z.strictObject({ terminal: TerminalName, timeoutMs: TimeoutMs, capBytes: Bytes }),
    () => TerminalReport,
  ),
  /** Types text, or a key such as `ctrl-c`, `enter`, `up`, then waits as `terminal.wait` does. */
  "terminal.send": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        text: z.string().max(100_000).optional(),
        key: z.string().max(32).optional(),
        timeoutMs: TimeoutMs,
        capBytes: Bytes,
      }),
    () => TerminalReport,
  ),
  /** Kills what runs in the terminal, children too, and starts its shell anew in the same directory. */
  "terminal.kill": operation(
    () => z.strictObject({ terminal: TerminalName, capBytes: Bytes }),
    () => TerminalReport,
  ),
  "terminal.list": operation(
    () => z.strictObject({}),
    () =>
      z.object({
        terminals: z.array(
          z.object({ terminal: z.string(), running: z.boolean(), command: z.string().optional(), cwd: z.string() }),
        ),
      }),
  ),
  /**
   * Raw output of a terminal as `output` messages, from `outputFrom` (older bytes than are kept are skipped), until
   * cancelled. Makes the terminal when there is none. For people who watch; it changes nothing for commands.
   */
  "terminal.watch": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        columns: z.number().int().optional(),
        rows: z.number().int().optional(),
      }),
    () => z.object({}),
  ),
  /** Bytes that a person typed, base64. */
  "terminal.type": operation(
    () => z.strictObject({ terminal: TerminalName, data: z.string().max(1_000_000) }),
    () => z.object({}),
  ),
  "terminal.resize": operation(
    () =>
      z.strictObject({
        terminal: TerminalName,
        columns: z.number().int().min(2).max(1000),
        rows: z.number().int().min(1).max(1000),
      }),
    () => z.object({}),
  ),

  /**
   * A part of a text file, lines joined as they are in the file, or an image as base64. `hash` is of the whole file.
   * `file_binary` for other binary files. Lines over 2,000 characters are cut in `text` and counted in `cutLines`.
   */
  "file.read": operation(
    () =>
      z.strictObject({
        path: Path,
        fromLine: z.number().int().positive(),
        maxLines: z.number().int().positive().max(10_000),
        capBytes: Bytes,
        within: Within,
      }),
    () =>
      z.object({
        path: z.string(),
        hash: Hash,
        size: Bytes,
        text: z.string().optional(),
        image: z.object({ mediaType: z.string(), data: z.string() }).optional(),
        fromLine: z.number(),
        lines: z.number(),
        totalLines: z.number(),
        cutLines: z.number(),
      }),
  ),
  /** Bytes of a file as base64, for viewers and downloads. At most 4 MiB a call. */
  "file.bytes": operation(
    () => z.strictObject({ path: Path, offset: Bytes, length: Bytes, within: Within }),
    () => z.object({ path: z.string(), size: Bytes, data: z.string() }),
  ),
  /** Writes a whole file, making directories. `file_changed` when its hash is not `expectedHash`; null: `file_exists`. */
  "file.write": operation(
    () => z.strictObject({ path: Path, text: z.string(), expectedHash: Hash.nullable().optional() }),
    () => z.object({ path: z.string(), hash: Hash, edit: FileEdit }),
  ),
  /**
   * Replaces exact text. `edit_no_match`, `edit_not_unique` (unless `all`), `file_changed` when the file's hash is
   * not `expectedHash`. Bytes outside the match stay as they are, whatever their encoding and line ends.
   */
  "file.edit": operation(
    () =>
      z.strictObject({
        path: Path,
        oldText: z.string().min(1),
        newText: z.string(),
        all: z.boolean(),
        expectedHash: Hash.optional(),
      }),
    () => z.object({ path: z.string(), hash: Hash, edit: FileEdit, replaced: z.number().int() }),
  ),
  "file.list": operation(
    () => z.strictObject({ path: Path, limit: z.number().int().positive().max(10_000), within: Within }),
    () => z.object({ path: z.string(), entries: z.array(FileEntry), more: z.boolean() }),
  ),

  /** Lines that match a regular expression (ripgrep's syntax), as `path:line:text`, sorted by path. */
  "search.content": operation(
    () =>
      z.strictObject({
        pattern: z.string().min(1),
        path: Path,
        glob: z.string().optional(),
        ignoreCase: z.boolean(),
        contextLines: z.number().int().min(0).max(20),
        limit: z.number().int().positive().max(10_000),
        capBytes: Bytes,
      }),
    () => z.object({ text: z.string(), matches: z.number().int(), files: z.number().int(), more: z.boolean() }),
  ),
  /** Paths that match a glob, newest first; ignored files are left out. */
  "search.files": operation(
    () => z.strictObject({ glob: z.string().min(1), path: Path, limit: z.number().int().positive().max(10_000) }),
    () => z.object({ paths: z.array(z.string()), more: z.boolean() }),
  ),

  /**
   * The next part of a tar archive, base64, whose files become the workspace's first. With `offset` 0 it begins anew,
   * and what the workspace holds goes. Not after `workspace.begin`.
   */
  "workspace.fill": operation(
    () => z.strictObject({ offset: Bytes, data: z.string().max(6_000_000), last: z.boolean() }),
    () => z.object({ size: Bytes }),
  ),
  /** Remembers the workspace as it is now as its start, unless one is remembered. `tree` names it. Needs git. */
  "workspace.begin": operation(
    () => z.strictObject({}),
    () =>
      z.object({
        tree: z.string(),
        files: z.number().int(),
        bytes: Bytes,
        commit: z.string().optional(),
        branch: z.string().optional(),
      }),
  ),
  /** Snapshots the workspace and says what differs from its start. */
  "workspace.changes": operation(
    () => z.strictObject({}),
    () => z.object({ tree: z.string(), changes: z.array(FileChange) }),
  ),
  /** One file before and after, as base64, each null where the file is not there or is over `capBytes`. */
  "workspace.file": operation(
    () => z.strictObject({ path: Path, capBytes: Bytes }),
    () => z.object({ before: z.string().nullable(), after: z.string().nullable(), binary: z.boolean() }),
  ),
  /** A patch from the start to now that `git apply` takes, binary files included, as base64, from `offset` on. */
  "workspace.patch": operation(
    () => z.strictObject({ offset: Bytes, length: Bytes }),
    () => z.object({ data: z.string(), size: Bytes }),
  ),

  /** The ports that programs listen on, as soon as they are others than `known`, or when the time is over. */
  "port.wait": operation(
    () => z.strictObject({ known: z.array(Port).max(1000), timeoutMs: TimeoutMs }),
    () => z.object({ ports: z.array(ListeningPort).max(1000) }),
  ),
  /**
   * Connects to a port of the sandbox's loopback. The bytes travel on a channel of kind `port` that sandboxd opens
   * before it answers, with this ticket. `port_closed` when nothing listens there.
   */
  "port.connect": operation(
    () => z.strictObject({ port: Port, ticket: z.string().min(1).max(64) }),
    () => z.object({}),
  ),

  /**
   * Gives the sandbox what belongs to its secrets, in memory only: the certificate (PEM) of the authority that it is to
   * trust, files, and variables for the programs that start from now on. Replaces what an earlier call gave. A file's
   * `environment` is a variable that holds its path. `directory` is where all is.
   */
  "sandbox.equip": operation(
    () =>
      z.strictObject({
        authority: z.string().max(16_384).optional(),
        files: z
          .array(
            z.strictObject({
              name: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/),
              data: z.string().max(65_536),
              environment: z.string().optional(),
            }),
          )
          .max(256),
        environment: z.record(z.string().regex(/^[A-Z_][A-Z0-9_]{0,127}$/), z.string().max(1024)),
      }),
    () => z.object({ directory: z.string() }),
  ),
  /**
   * Takes a snapshot of the workspace. Its objects that are not in `base`, the snapshot that was last kept, wait to be
   * read. `leftOut` has the first of what was left out. Reads only what changed since `base`; all, when that is null or
   * another than sandboxd knows.
   */
  "snapshot.take": operation(
    () => SnapshotRules.extend({ base: ObjectName.nullable() }),
    () =>
      z.object({
        root: ObjectName,
        files: Bytes,
        bytes: Bytes,
        newObjects: Bytes,
        packBytes: Bytes,
        leftOut: z.array(LeftOut).max(100),
        leftOutCount: Bytes,
        durationMs: z.number().nonnegative(),
      }),
  ),
  /** Frames of the objects that the last snapshot brought (`object-frames.ts`), base64, at most 4 MiB a call. */
  "snapshot.read": operation(
    () => z.strictObject({ root: ObjectName, offset: Bytes, length: Bytes }),
    () => z.object({ data: z.string(), size: Bytes }),
  ),
  /** The snapshot is kept: it is the base of the next one. */
  "snapshot.keep": operation(
    () => z.strictObject({ root: ObjectName }),
    () => z.object({}),
  ),
  /** Frames of objects for a restore, base64, in order; `offset` 0 begins anew. */
  "snapshot.put": operation(
    () => z.strictObject({ offset: Bytes, data: z.string().max(6_000_000) }),
    () => z.object({ size: Bytes }),
  ),
  /**
   * Makes the workspace what the snapshot says, from the objects that were put and from files that are as they should
   * be. Leaves what a snapshot would leave out. `needed`: objects that are missing; nothing was changed then.
   */
  "snapshot.restore": operation(
    () => SnapshotRules.extend({ root: ObjectName }),
    () =>
      z.object({
        needed: z.array(ObjectName).max(50_000),
        written: Bytes,
        removed: Bytes,
        failed: z.array(z.string()),
      }),
  ),

  /** Runs a program without a terminal. For Handrail's own needs, not for the agent. */
  "process.run": operation(
    () =>
      z.strictObject({
        argv: z.array(z.string()).min(1),
        cwd: Path.optional(),
        stdin: z.string().optional(),
        timeoutMs: TimeoutMs,
        capBytes: Bytes,
      }),
    () => z.object({ exitCode: z.number().int().nullable(), stdout: z.string(), stderr: z.string(), cut: z.boolean() }),
  ),
} as const;

export type OperationName = keyof typeof OPERATIONS;
export type OperationArgs<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]["args"]>;
export type OperationResult<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]["result"]>;
