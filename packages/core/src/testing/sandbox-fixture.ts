import type { OperationArgs, OperationName, OperationResult } from "@handrail/protocol/sandboxd/operations";
import type { CallOptions, Sandbox } from "../ports/sandbox.ts";

export type OpenSandbox = {
  readonly sandbox: Sandbox;
  /** Lets go of the connection and connects anew, as a server does that was started again. Absent: not tested. */
  readonly restartLink?: () => Promise<Sandbox>;
  /** Unpacks what is compressed with zstd (RFC 8878) and then has that size. */
  readonly unpack: (packed: Uint8Array, size: number) => Uint8Array;
};

export type SandboxOpener = () => Promise<OpenSandbox>;

/** Short ways to call a sandbox in a test. */
export type Calls = {
  readonly call: <Name extends OperationName>(
    operation: Name,
    args: OperationArgs<Name>,
    options?: Partial<CallOptions>,
  ) => Promise<OperationResult<Name>>;
  /** Runs a command in the terminal `main`, for at most 20 s. */
  readonly run: (
    command: string,
    args?: Partial<OperationArgs<"terminal.run">>,
  ) => Promise<OperationResult<"terminal.run">>;
  /** A program's standard output, apart from any terminal. */
  readonly shell: (script: string) => Promise<string>;
  readonly write: (path: string, text: string) => Promise<OperationResult<"file.write">>;
};

const CAP_BYTES = 20_000;
const TIMEOUT_MS = 20_000;

export function callsOf(sandbox: Sandbox): Calls {
  const call: Calls["call"] = (operation, args, options) =>
    sandbox.call(operation, args, { signal: new AbortController().signal, ...options });
  return {
    call,
    run: (command, args) =>
      call("terminal.run", { terminal: "main", command, timeoutMs: TIMEOUT_MS, capBytes: CAP_BYTES, ...args }),
    shell: async (script) => {
      const limits = { timeoutMs: TIMEOUT_MS, capBytes: CAP_BYTES };
      return (await call("process.run", { argv: ["sh", "-c", script], ...limits })).stdout;
    },
    write: (path, text) => call("file.write", { path, text }),
  };
}

let last = 0;

/** A call id that no other test uses. */
export const callId = () => `k_contract${++last}.${Math.random().toString(36).slice(2)}`;
