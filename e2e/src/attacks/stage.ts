import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import { newId } from "@handrail/protocol/ids";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { containerdBackend } from "@handrail/sandboxes/containerd/containerd-backend";
import { dockerBackend } from "@handrail/sandboxes/docker/docker-backend";
import type { Egress } from "@handrail/sandboxes/egress";
import { noneBackend } from "@handrail/sandboxes/none/none-backend";
import { processBackend } from "@handrail/sandboxes/process/process-backend";
import { canRunContainerd } from "@handrail/sandboxes/testing/containerd-daemon";
import { runtimeUnderTest } from "@handrail/sandboxes/testing/containerd-root";
import { forgetInDocker } from "@handrail/sandboxes/testing/forget-installation";
import { mapsUsers } from "@handrail/sandboxes/testing/maps-users";
import { builtPrograms } from "@handrail/sandboxes/testing/test-programs";
import { workingBackends } from "../support/sandbox-kills.ts";
import { PRELUDE, verdictOf, type Verdict } from "./attack.ts";
import { leftOf } from "./left-on-stage.ts";

/** Where attacks run. `none` has no fence: there the controls of the attacks run. */
export type StageBackend = "docker" | "process" | "containerd" | "none";
type Isolating = Exclude<StageBackend, "none">;

/** The isolating backends of this machine on which every attack runs. Another one is added here and in `backendOf`. */
export const STAGES: readonly Isolating[] = workingBackends();

/** Those on which attacks run that look for what a backend itself leaves open; on containerd only these. */
export const ALL_STAGES: readonly Isolating[] = (await canRunContainerd()) ? [...STAGES, "containerd"] : STAGES;

const asRoot = process.getuid?.() === 0;

/** Those that have the profile dev here. */
export const DEV_STAGES: readonly Isolating[] = [
  ...STAGES.filter((name) => name !== "process" || asRoot),
  ...(ALL_STAGES.includes("containerd") && (await mapsUsers()) ? (["containerd"] as const) : []),
];

/** What of the host attacks look for. */
type Prey = {
  readonly secret: string;
  readonly canary: string;
  readonly host: Readonly<Record<string, unknown>>;
  end(): Promise<void>;
};

export type StagedSandbox = {
  readonly conversationId: string;
  readonly sandbox: Sandbox;
  /** What a Python script says, whose variables these are besides those of the prelude. */
  attack(script: string, variables?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<Verdict>;
  /** What a shell script prints, both outputs, and its exit code. */
  shell(script: string, timeoutMs?: number): Promise<{ readonly exitCode: number | null; readonly output: string }>;
};

export type Stage = {
  readonly backend: SandboxBackend;
  readonly prey: Prey;
  /** A new sandbox, or that of the conversation started again. */
  start(conversationId?: string, profile?: SandboxProfile): Promise<StagedSandbox>;
  /** What there is of a conversation where its backend keeps sandboxes. */
  left(conversationId: string): Promise<readonly string[]>;
  /** Takes all of it away. */
  end(): Promise<void>;
};

export const STAGE_LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200, diskBytes: 64 * 1024 ** 2 };

/** The most that is kept of each of a program's two outputs. */
export const STAGE_CAP_BYTES = 100_000;

/** An id that only this stage knows; what another sandbox would have to find. */
const OTHER = newId("c", Date.now());

export async function openStage(name: StageBackend, egress: Egress = (_origin, stream) => stream.destroy()) {
  const directory = await mkdtemp(path.join(tmpdir(), "handrail-attacks-"));
  const daemon = name === "containerd" ? await runtimeUnderTest() : undefined;
  const installation = `a${newId("x", Date.now()).slice(-8)}`;
  const backend = backendOf(name, { installation, directory, egress }, daemon?.address);
  const prey = await putPrey();
  if (name !== "none") await startOn(backend, OTHER);
  const stage: Stage = {
    backend,
    prey,
    start: async (conversationId = newId("c", Date.now()), profile = "default") =>
      staged(await startOn(backend, conversationId, profile), conversationId, prey),
    left: (conversationId) =>
      leftOf(conversationId, { installation, directory, address: daemon?.address }, name === "docker"),
    end: async () => {
      await backend.collect(new Set());
      await backend.close();
      if (name === "docker") await forgetInDocker(installation);
      await daemon?.dispose();
      await prey.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return stage;
}

/** `address`: where containerd is. */
function backendOf(
  name: StageBackend,
  own: { readonly installation: string; readonly directory: string; readonly egress: Egress },
  address: string | undefined,
): SandboxBackend {
  const common = { ...own, sandboxdDirectory: builtPrograms(), limits: STAGE_LIMITS };
  if (name === "docker") return dockerBackend({ ...common, host: process.env["DOCKER_HOST"] });
  if (name === "containerd") return containerdBackend({ ...common, address });
  return name === "process" ? processBackend(common) : noneBackend(common);
}

const startOn = (backend: SandboxBackend, conversationId: string, profile: SandboxProfile = "default") =>
  backend.start(
    { conversationId, choice: { backend: backend.name, network: { type: "none" }, profile }, seedDirectory: undefined },
    () => undefined,
    AbortSignal.timeout(60_000),
  );

/** A file, a process and a socket of the host, each with the secret. */
async function putPrey(): Promise<Prey> {
  const secret = `prey-${newId("x", Date.now())}`;
  const directory = await mkdtemp("/var/tmp/handrail-prey-");
  const canary = path.join(directory, "canary");
  await writeFile(canary, `${secret}\n`, { mode: 0o644 });
  const child = spawn("sleep", ["600"], {
    env: { PATH: process.env["PATH"], PREY: secret },
    argv0: secret,
    stdio: "ignore",
  });
  const abstract = `handrail-${secret}`;
  const listener = createServer((socket) => socket.destroy()).listen(`\0${abstract}`);
  await once(listener, "listening");
  const kinds = ["mnt", "pid", "net", "ipc", "uts"];
  const namespaces = Object.fromEntries(kinds.map((kind) => [kind, readlinkSync(`/proc/self/ns/${kind}`)]));
  return {
    secret,
    canary,
    host: { pid: child.pid, abstract, namespaces },
    end: async () => {
      listener.close();
      child.kill("SIGKILL");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function staged(sandbox: Sandbox, conversationId: string, { secret, canary, host }: Prey): StagedSandbox {
  const call = async (argv: string[], stdin: string, timeoutMs: number) => {
    const args = { argv, stdin, timeoutMs, capBytes: STAGE_CAP_BYTES };
    const signal = AbortSignal.timeout(timeoutMs + 10_000);
    const { exitCode, stdout, stderr } = await sandbox.call("process.run", args, { signal });
    return { exitCode, output: stdout + stderr };
  };
  // Not as they are: what is looked for must not be in a sandbox only because an attack brought it there.
  const hidden = (text: string) => `bytes.fromhex("${Buffer.from(text).toString("hex")}").decode()`;
  const known = [
    `SECRET = ${hidden(secret)}`,
    `OTHER = ${hidden(OTHER)}`,
    `CANARY = ${JSON.stringify(canary)}`,
    `CONVERSATION = ${JSON.stringify(conversationId)}`,
    `HOST = json.loads(${JSON.stringify(JSON.stringify(host))})`,
  ].join("\n");
  return {
    conversationId,
    sandbox,
    shell: (script, timeoutMs = 20_000) => call(["sh", "-c", script], "", timeoutMs),
    attack: async (script, variables = {}, timeoutMs = 30_000) => {
      const given = `globals().update(json.loads(${JSON.stringify(JSON.stringify(variables))}))`;
      const program = `${PRELUDE}\n${known}\n${given}\n${script}\n`;
      return verdictOf((await call(["python3", "-"], program, timeoutMs)).output);
    },
  };
}
