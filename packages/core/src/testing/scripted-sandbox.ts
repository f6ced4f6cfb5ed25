import { AppError } from "@handrail/protocol/errors";
import type { OperationName } from "@handrail/protocol/sandboxd/operations";
import type { CallOptions, Sandbox, SandboxConnection } from "../ports/sandbox.ts";

type Handler = (args: Record<string, unknown>) => unknown;
export type SandboxHandlers = Partial<Record<OperationName, Handler>> & {
  /** Gives the connection to a port. */
  readonly connect?: (port: number) => Promise<SandboxConnection>;
};

export type ScriptedSandbox = Sandbox & {
  /** Operations in the order in which they ran: `terminal.run npm test`. */
  readonly ran: readonly string[];
  readonly acknowledged: readonly string[];
  /** From now on everything answers `sandbox_gone`. */
  lose(): void;
};

/**
 * A `Sandbox` whose operations are answered by functions, each call id once. A handler that gives `HANGS` never
 * ends by itself; without a handler an operation answers as an empty workspace would.
 */
export function scriptedSandbox(handlers: SandboxHandlers = {}, bootId = "boot-1"): ScriptedSandbox {
  const ran: string[] = [];
  const acknowledged: string[] = [];
  const outcomes = new Map<string, Promise<unknown>>();
  const gone = Promise.withResolvers<string>();
  let lost = false;

  const goneError = () => new AppError("sandbox_gone", "The sandbox is gone.");
  const run = async (operation: OperationName, args: Record<string, unknown>, signal: AbortSignal) => {
    ran.push(describe(operation, args));
    const handler = handlers[operation] ?? DEFAULTS[operation];
    if (handler === undefined) throw new AppError("call_unknown", `Nothing is scripted for ${operation}.`);
    const result = await handler(args);
    if (result !== HANGS) return result;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      gone.promise.then(() => reject(goneError())).catch(reject);
    });
  };
  const call = (operation: OperationName, args: Record<string, unknown>, options: CallOptions): Promise<unknown> => {
    options.signal.throwIfAborted();
    if (lost) throw goneError();
    const known = options.id === undefined ? undefined : outcomes.get(options.id);
    const outcome = known ?? run(operation, args, options.signal);
    if (options.id !== undefined) outcomes.set(options.id, outcome);
    return outcome;
  };
  return {
    sandboxId: `x_${"0".repeat(19)}${bootId.at(-1)}`,
    backend: "process",
    bootId,
    ran,
    acknowledged,
    gone: gone.promise,
    call: (async (operation: OperationName, args: Record<string, unknown>, options: CallOptions) =>
      call(operation, args, options)) as unknown as Sandbox["call"],
    async connect(port) {
      if (lost) throw goneError();
      if (handlers.connect === undefined) throw new AppError("port_closed", `Nothing listens on port ${port}.`);
      return handlers.connect(port);
    },
    async status(id) {
      if (lost) throw goneError();
      return outcomes.has(id) ? "ended" : "unknown";
    },
    acknowledge: (ids) => void acknowledged.push(...ids),
    lose() {
      lost = true;
      gone.resolve("lost by the test");
    },
  };
}

/** What a handler gives for an operation that goes on until it is aborted or the sandbox is lost. */
export const HANGS = Symbol("hangs");

/** A terminal report with these words in it. */
export function report(output: string, exitCode: number | null = 0, running = false) {
  return { terminal: "main", output, outputBytes: output.length, exitCode, running, cwd: "/workspace", offset: 0 };
}

function describe(operation: OperationName, args: Record<string, unknown>): string {
  const word = args["command"] ?? args["path"] ?? args["pattern"];
  return typeof word === "string" ? `${operation} ${word}` : operation;
}

const DEFAULTS: SandboxHandlers = {
  "workspace.begin": () => ({ tree: "t0", files: 0, bytes: 0 }),
  "workspace.changes": () => ({ tree: "t1", changes: [] }),
  "terminal.run": (args) => report(`ran ${String(args["command"])}`),
  "file.read": (args) => {
    throw new AppError("path_missing", `There is no ${String(args["path"])}.`);
  },
};
