import type { Listed } from "../labels/listed.ts";
import type { Progress } from "../pull-report.ts";
import type { Readable } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { volumesIn } from "../image/image-volumes.ts";
import { DockerError } from "./docker-error.ts";

/** A container to make, as `POST /containers/create` takes it; only the fields that we set. */
export type ContainerSpec = {
  readonly Image: string;
  readonly Hostname?: string;
  readonly User?: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  /** Keeps standard input open for one who attaches, and closes it when that one leaves. */
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  readonly StopSignal?: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly NetworkDisabled?: boolean;
  readonly HostConfig: Readonly<Record<string, unknown>>;
};

export type ContainerState = {
  readonly id: string;
  readonly running: boolean;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly labels: Readonly<Record<string, string>>;
};

export type DaemonInfo = {
  readonly product: "Docker" | "Podman";
  readonly version: string;
  /** The release of its machine's kernel, as `uname -r` prints it. */
  readonly kernel: string;
  readonly storage: string;
  readonly cgroups: string;
  /** Whether the daemon runs as a plain user. */
  readonly rootless: boolean;
  /** Whether root in a container is somebody else outside (`userns-remap`, or rootless). */
  readonly userNamespaces: boolean;
  /** Whether SELinux says what containers may open. */
  readonly selinux: boolean;
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Names of the OCI runtimes that containers can have. */
  readonly runtimes: readonly string[];
  /** Limits that we set and this daemon cannot keep. */
  readonly missingLimits: readonly string[];
};

export type ImageFacts = {
  readonly id: string;
  readonly architecture: string;
  /** Paths that it calls volumes. */
  readonly volumes: readonly string[];
};

/** `directory` is where the daemon's machine has it; empty when it does not say. */
export type VolumeFacts = { readonly labels: Readonly<Record<string, string>>; readonly directory: string };

type Fields = Readonly<Record<string, unknown>>;

/** A text field of an answer. @throws AppError `backend_unavailable` when it is not there */
export function readNamed(answer: unknown, field: string): string {
  const value = fields(answer)[field];
  if (typeof value === "string") return value;
  throw new AppError("backend_unavailable", "The Docker daemon gave an answer that cannot be understood.", { field });
}

/** Out of the answers of `/info` and `/version`. */
export function readInfo(infoAnswer: unknown, versionAnswer: unknown): DaemonInfo {
  const info = fields(infoAnswer);
  const missing = { memory: info["MemoryLimit"], processes: info["PidsLimit"], CPU: info["CpuCfsQuota"] };
  const security = new Set(listOf(info["SecurityOptions"]).map((option) => textOf(option).split(",")[0]));
  const rootless = security.has("name=rootless") || info["Rootless"] === true;
  const cgroups = info["CgroupVersion"] === "2" ? "cgroup v2" : "cgroup v1";
  // A plain user has no control groups of version 1, whatever Podman says of limits.
  const holds = (kept: unknown) => kept !== false && !(rootless && cgroups === "cgroup v1");
  const components = listOf(fields(versionAnswer)["Components"]).map((component) => textOf(fields(component)["Name"]));
  return {
    product: components.includes("Podman Engine") ? "Podman" : "Docker",
    version: textOf(info["ServerVersion"]),
    rootless,
    userNamespaces: rootless || security.has("name=userns"),
    selinux: security.has("name=selinux"),
    kernel: textOf(info["KernelVersion"]),
    storage: textOf(info["Driver"]),
    cgroups,
    architecture: textOf(info["Architecture"]),
    cpus: numberOf(info["NCPU"]),
    memoryBytes: numberOf(info["MemTotal"]),
    runtimes: Object.keys(fields(info["Runtimes"])),
    missingLimits: Object.entries(missing).flatMap(([name, kept]) => (holds(kept) ? [] : [name])),
  };
}

export function readContainer(answer: unknown): ContainerState {
  const state = fields(fields(answer)["State"]);
  return {
    id: readNamed(answer, "Id"),
    running: state["Running"] === true,
    exitCode: numberOf(state["ExitCode"]),
    outOfMemory: state["OOMKilled"] === true,
    labels: labelsOf(fields(fields(answer)["Config"])["Labels"]),
  };
}

export function readImage(answer: unknown): ImageFacts {
  const { Architecture, Config } = fields(answer);
  return { id: readNamed(answer, "Id"), architecture: textOf(Architecture), volumes: volumesIn(Config) };
}

/** An image of a list, with its names. `createdAtMs` is Unix time. */
export type ListedImage = { readonly references: readonly string[]; readonly createdAtMs: number };

export function readImages(answer: unknown): ListedImage[] {
  return listOf(answer).map((item) => {
    const { RepoTags, ...times } = fields(item);
    return { references: listOf(RepoTags).map(textOf), createdAtMs: createdAt(times) };
  });
}

export function readVolume(answer: unknown): VolumeFacts {
  return { labels: labelsOf(fields(answer)["Labels"]), directory: textOf(fields(answer)["Mountpoint"]) };
}

export function readList(answer: unknown): Listed[] {
  return listOf(answer).map((item) => {
    const name = textOf(fields(item)["Name"]);
    const id = textOf(fields(item)["Id"]) || name;
    const [state, labels] = [textOf(fields(item)["State"]), labelsOf(fields(item)["Labels"])];
    return { id, name, state, createdAtMs: createdAt(fields(item)), labels };
  });
}

/** Lists have seconds for containers, and text as of RFC 3339 for volumes. */
function createdAt({ Created, CreatedAt }: Fields): number {
  return typeof Created === "number" ? Created * 1000 : Date.parse(textOf(CreatedAt)) || 0;
}

/** Reads a stream of JSON lines to its end. @throws DockerError for the error that the daemon reports in it */
export async function readProgress(body: Readable, onProgress: (line: Progress) => void): Promise<void> {
  let rest = "";
  body.setEncoding("utf8");
  for await (const text of body) {
    const lines = (rest + String(text)).split("\n");
    rest = lines.pop() ?? "";
    lines.filter((line) => line.trim() !== "").forEach((line) => onProgress(readLine(line)));
  }
  if (rest.trim() !== "") onProgress(readLine(rest));
}

function readLine(line: string): Progress {
  const read = fields(JSON.parse(line));
  if (typeof read["error"] === "string") throw new DockerError(500, read["error"]);
  const detail = fields(read["progressDetail"]);
  return {
    id: textOf(read["id"]),
    status: textOf(read["status"]),
    current: numberOf(detail["current"]),
    total: numberOf(detail["total"]),
  };
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields(value)).map(([key, text]) => [key, textOf(text)]));
}
