import { statfs, stat } from "node:fs/promises";
import type { BackendInfo, Finding } from "@handrail/protocol/settings";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { runProgram } from "./run-program.ts";

export type DoctorParts = {
  readonly home: string;
  readonly path: string | undefined;
  /** Those that conversations may have. */
  readonly profiles: readonly SandboxProfile[];
  readonly backends: (signal: AbortSignal) => Promise<readonly BackendInfo[]>;
  /** One real call to the set model; undefined when none is set. */
  readonly testModel: (signal: AbortSignal) => Promise<{ ok: boolean; message: string; label: string } | undefined>;
  /** What to say of a master key of the gateway that can be guessed. */
  readonly weakMasterKey: Advice | undefined;
  /** Why previews are off; undefined where they are on. */
  readonly noPreviews: Advice | undefined;
};

type Advice = { readonly detail: string; readonly remedy: string };

const TIMEOUT_MS = 20_000;
const LOW_DISK_BYTES = 2 * 1024 ** 3;

/** What works on this machine, each looked at now. */
export async function examine(parts: DoctorParts, signal: AbortSignal): Promise<Finding[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const found = await Promise.all([
    gitFinding(parts, limited).then(alone),
    parts.backends(limited).then((backends) => backends.map((backend) => backendFinding(backend, parts.profiles))),
    modelFinding(parts, limited).then(alone),
    diskFinding(parts.home).then(alone),
    stateFinding(parts.home).then(alone),
  ]);
  const { weakMasterKey, noPreviews } = parts;
  return [nodeFinding(), ...found.flat(), ...warning("Gateway", weakMasterKey), ...warning("Previews", noPreviews)];
}

const warning = (name: string, advice: Advice | undefined): Finding[] =>
  advice === undefined ? [] : [{ name, state: "warning", ...advice }];

const alone = (finding: Finding) => [finding];

const nodeFinding = (): Finding => ({ name: "Node.js", state: "ok", detail: process.version });

async function gitFinding({ path }: DoctorParts, signal: AbortSignal): Promise<Finding> {
  const remedy = "Install git, for example with: apt-get install git";
  try {
    const options = { env: { PATH: path }, signal, timeoutMs: 5000, capBytes: 1000 };
    const { stdout, exitCode } = await runProgram(["git", "--version"], options);
    if (exitCode === 0) return { name: "git", state: "ok", detail: stdout.toString("utf8").trim() };
    return { name: "git", state: "missing", detail: "git does not run.", remedy };
  } catch {
    return { name: "git", state: "missing", detail: "git is not installed.", remedy };
  }
}

const LABELS: Readonly<Record<string, string>> = {
  docker: "Docker",
  process: "Bubblewrap",
  containerd: "containerd",
  none: "No isolation",
};

/** `wanted`: the profiles that conversations may have. Without isolation there is but one, and that is no fault. */
function backendFinding(info: BackendInfo, wanted: readonly SandboxProfile[]): Finding {
  const { name, works, detail, remedy, profiles } = info;
  const lacking = works && name !== "none" ? wanted.filter((profile) => !profiles.includes(profile)) : [];
  const advice = [remedy ?? [], lacking.length === 0 ? [] : withoutProfiles(lacking)].flat().join(" ");
  const better = advice === "" ? "ok" : "warning";
  const working = lacking.length === 0 ? better : "partial";
  const finding: Finding = { name: LABELS[name] ?? name, state: works ? working : "missing", detail };
  return advice === "" ? finding : { ...finding, remedy: advice };
}

const withoutProfiles = (names: readonly SandboxProfile[]) =>
  `Conversations with the profile ${names.join(" or ")} need another backend. Where none needs it, leave it out of sandbox-profiles.`;

async function modelFinding({ testModel }: DoctorParts, signal: AbortSignal): Promise<Finding> {
  const name = "Model";
  const tested = await testModel(signal).catch(() => ({ ok: false, message: "The test was cut short.", label: "" }));
  if (tested === undefined) {
    return { name, state: "missing", detail: "No model is set.", remedy: "Set one in the settings, or set LLM_MODEL." };
  }
  if (tested.ok) return { name, state: "ok", detail: `${tested.label}: ${tested.message}` };
  return { name, state: "warning", detail: tested.message, remedy: "Check address, key and name in the settings." };
}

async function diskFinding(home: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${home}`;
  if (free >= LOW_DISK_BYTES) return { name: "Disk", state: "ok", detail };
  return { name: "Disk", state: "warning", detail, remedy: "Free some space: workspaces and images need it." };
}

async function stateFinding(home: string): Promise<Finding> {
  const { mode } = await stat(home);
  const detail = `${home}, mode ${(mode & 0o777).toString(8)}`;
  if ((mode & 0o077) === 0) return { name: "State directory", state: "ok", detail };
  const remedy = `Others on this machine can look in. Run: chmod 700 ${home}`;
  return { name: "State directory", state: "warning", detail, remedy };
}
