import { newId } from "@handrail/protocol/ids";
import type { NetworkRule, SandboxChoice, SandboxProfile } from "@handrail/protocol/sources";
import type { Sandbox, SandboxBackend, SandboxSpec } from "../ports/sandbox.ts";
import type { FillWorkspace } from "../ports/workspace-seed.ts";

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
  /** What a server fills the workspaces of running sandboxes with. */
  readonly fill: FillWorkspace;
  /** Unpacks what is compressed with zstd (RFC 8878) and then has that size. */
  readonly unpack: (packed: Uint8Array, size: number) => Uint8Array;
  /** A path of the host that exists and that a sandbox must not see. */
  readonly hostPath: string;
  /** Limits that the backend was opened with. */
  readonly limits: {
    readonly memoryBytes: number;
    readonly processes: number;
    /** Absent where a workspace's size is not bounded. */
    readonly diskBytes?: number;
    /** Said where nothing bounds how much of the processors a sandbox takes. */
    readonly cpus?: "unbounded";
  };
  /** A signal that aborts after that time. */
  readonly within: (timeoutMs: number) => AbortSignal;
  /** Puts everything that was made here away. */
  readonly dispose: () => Promise<void>;
};

/** A limit that a backend does not hold, in the words in which its health says so. */
export type UnheldLimit = "memory" | "processes" | "CPU";

/** A backend under test with shorthands. */
export type BackendBench = BackendUnderTest & {
  readonly backend: SandboxBackend;
  readonly installation: string;
  readonly start: (
    conversationId: string,
    more?: Partial<SandboxSpec> & { readonly network?: NetworkRule; readonly profile?: SandboxProfile },
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

export const NO_NETWORK: NetworkRule = { type: "none" };

/** A bench over a new installation. */
export async function openBench<Under extends BackendUnderTest>(under: Under): Promise<Under & BackendBench> {
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const backend = await under.open(installation);
  const start: BackendBench["start"] = (conversationId, { network = NO_NETWORK, profile, ...more } = {}) => {
    const choice: SandboxChoice = { backend: backend.name, network, ...(profile === undefined ? {} : { profile }) };
    const spec = { conversationId, choice, seedDirectory: undefined, ...more };
    return backend.start(spec, () => undefined, under.within(60_000));
  };
  return { ...under, backend, installation, start };
}

/** Takes everything away that was made on a bench. */
export async function closeBench(bench: BackendBench | undefined): Promise<void> {
  await bench?.backend.collect(new Set());
  await bench?.backend.close();
  await bench?.dispose();
}
