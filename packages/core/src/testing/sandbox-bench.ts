import { newId } from "@handrail/protocol/ids";
import type { NetworkRule } from "@handrail/protocol/sources";
import type { Sandbox, SandboxBackend, SandboxSpec } from "../ports/sandbox.ts";

/** How a suite gets at a backend that works on this machine. */
export type BackendUnderTest = {
  /** A backend of an installation, as a new server process would make it. The same name is the same installation. */
  readonly open: (installation: string) => Promise<SandboxBackend>;
  /** Ends all that runs in a conversation's sandbox from outside, as an administrator's SIGKILL does. */
  readonly killFromOutside: (installation: string, conversationId: string) => Promise<void>;
  /**
   * A new directory on the host with `plain.txt` ("first"), `run.sh` (executable), `link` to `plain.txt`, `away` to
   * `/etc/hostname`, `deep/er/file`, and a file whose name is the bytes `n`, 0xff, `n`.
   */
  readonly seed: () => Promise<string>;
  /** A path of the host that exists and that a sandbox must not see. */
  readonly hostPath: string;
  /** Limits that the backend was opened with. */
  readonly limits: { readonly memoryBytes: number; readonly processes: number };
  /** A signal that aborts after that time. */
  readonly within: (timeoutMs: number) => AbortSignal;
  /** Puts everything that was made here away. */
  readonly dispose: () => Promise<void>;
};

/** A backend under test with shorthands. */
export type BackendBench = BackendUnderTest & {
  readonly backend: SandboxBackend;
  readonly installation: string;
  readonly start: (
    conversationId: string,
    more?: Partial<SandboxSpec> & { readonly network?: NetworkRule },
  ) => Promise<Sandbox>;
};

/** An id of a conversation that nobody has used. */
export function freshConversation(): string {
  return newId("c", Date.now());
}

/** What a shell command prints, of both outputs, and its exit code. */
export async function run(bench: BackendBench, sandbox: Sandbox, script: string, timeoutMs = 20_000) {
  const args = { argv: ["sh", "-c", script], timeoutMs, capBytes: 100_000 };
  const { exitCode, stdout, stderr } = await sandbox.call("process.run", args, {
    signal: bench.within(timeoutMs + 10_000),
  });
  return { exitCode, output: stdout + stderr };
}
