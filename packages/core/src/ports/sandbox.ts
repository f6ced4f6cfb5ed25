import type { BackendName, SandboxChoice, SandboxProfile } from "@handrail/protocol/sources";
import type { OperationArgs, OperationName, OperationResult } from "@handrail/protocol/sandboxd/operations";

export type CallOptions = {
  /**
   * Names the call: the same id twice runs once, and the outcome is kept until acknowledged. Without one the call is
   * of no consequence (a look at a file for the page) and its outcome is not kept.
   */
  readonly id?: string;
  /** Aborting gives up waiting and cancels the operation in the sandbox. */
  readonly signal: AbortSignal;
  /** Raw output as it comes, from `outputFrom` (default 0) on. `offset` is where the bytes begin. */
  readonly onOutput?: (offset: number, bytes: Uint8Array) => void;
  readonly outputFrom?: number;
};

/** Bytes both ways. What it is depends on the platform: on Node, a `stream.Duplex`. */
export type SandboxConnection = AsyncIterable<Uint8Array> & {
  write(bytes: Uint8Array): unknown;
  end(): unknown;
  destroy(error?: Error): unknown;
};

/**
 * A running sandbox. Lives on when the server goes; a later server finds it again by its conversation.
 *
 * Everything that comes out of it is hostile: callers check text, paths and sizes before they use them.
 */
export type Sandbox = {
  readonly sandboxId: string;
  readonly backend: BackendName;
  /** Names this start of sandboxd. */
  readonly bootId: string;
  /**
   * Runs one operation to its end. Survives breaks of the connection as long as sandboxd lives.
   * @throws AppError with the operation's own code; `sandbox_gone` when the sandbox went, and with it the answer;
   * the signal's reason when aborted
   */
  call<Name extends OperationName>(
    operation: Name,
    args: OperationArgs<Name>,
    options: CallOptions,
  ): Promise<OperationResult<Name>>;
  /** What sandboxd knows of a kept call. @throws AppError `sandbox_gone` */
  status(id: string): Promise<"unknown" | "running" | "ended">;
  /** Lets sandboxd forget outcomes that are in the log. Best effort; never throws. */
  acknowledge(ids: readonly string[]): void;
  /**
   * A connection to a port that a program in the sandbox listens on. The caller ends it.
   * @throws AppError `port_closed`, `sandbox_gone`; the signal's reason when aborted
   */
  connect(port: number, signal: AbortSignal): Promise<SandboxConnection>;
  /** Settles once the sandbox is gone, with a sentence that says how. Never rejects. */
  readonly gone: Promise<string>;
};

export type SandboxSpec = {
  readonly conversationId: string;
  readonly choice: SandboxChoice;
  /** A host directory with the first files, moved or copied in when the workspace does not exist yet. */
  readonly seedDirectory: string | undefined;
};

export type BackendHealth = {
  readonly name: BackendName;
  readonly works: boolean;
  /** "Docker 20.10.24, overlay2, cgroup v1", or what is wrong. */
  readonly detail: string;
  /** What to do about it; where it works, what would make it safer. Absent when there is nothing to do. */
  readonly remedy?: string;
  /** Those that sandboxes can have here; `start` refuses the others. None where it does not work. */
  readonly profiles: readonly SandboxProfile[];
};

/** Ids of conversations of which nothing is removed, such as a set of them. */
export type KeptConversations = Pick<ReadonlySet<string>, "has">;

/**
 * What makes sandboxes. Its host may be elsewhere, its starts may take seconds; workspaces outlive sandboxes.
 *
 * `start`, `stop` and `remove` of one conversation are never called at the same time by one server.
 *
 * Where it has a daemon that does not answer, all but `health` and `close` reject with `backend_unavailable`, at once or after
 * a while, unless they can do what is asked for without it. Nobody is told then that something is not there. What was to go
 * and did not, `collect` removes later.
 */
export type SandboxBackend = {
  readonly name: BackendName;
  health(signal: AbortSignal): Promise<BackendHealth>;
  /** Whether a workspace of this conversation exists, so that `start` needs no seed. */
  hasWorkspace(conversationId: string): Promise<boolean>;
  /** The conversation's sandbox if it is running, or undefined. Never starts one. */
  find(conversationId: string, signal: AbortSignal): Promise<Sandbox | undefined>;
  /**
   * The running sandbox, found or started. `onProgress` gets sentences for people.
   * @throws AppError `backend_unavailable`, `image_unavailable`, `namespaces_forbidden`, `sandbox_failed`
   */
  start(spec: SandboxSpec, onProgress: (text: string) => void, signal: AbortSignal): Promise<Sandbox>;
  /** Ends the sandbox, keeps the workspace. No error when there is none. */
  stop(conversationId: string): Promise<void>;
  /** Ends the sandbox and forgets the workspace for good. No error when there is none. */
  remove(conversationId: string): Promise<void>;
  /** Removes what this installation made for conversations that are not in `keep`. Never touches anything else. */
  collect(keep: KeptConversations): Promise<void>;
  /** Lets go of all connections. Sandboxes go on running. */
  close(): Promise<void>;
};
