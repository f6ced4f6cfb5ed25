import type { BackendHealth } from "@handrail/core/ports/sandbox";
import { toAppError } from "@handrail/protocol/errors";
import { profilesHad } from "../profiles.ts";
import { missingRuntime } from "./dev-runtime.ts";
import type { DockerClient } from "./docker-client.ts";
import { unlessAborted } from "../shared-work.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import type { DaemonInfo } from "./docker-shapes.ts";
import { inWords, type WorkspaceBounds } from "./workspace-bounds.ts";

const PATIENCE_MS = 4_000;
const NOT_YET: WorkspaceBounds = {
  type: "none",
  why: "Whether workspaces can be bounded is still being found out. Ask again in a minute.",
};

type Looked = {
  readonly client: DockerClient;
  readonly bounds: () => Promise<WorkspaceBounds>;
  /** The runtime that sandboxes with the profile dev are to have. */
  readonly devRuntime?: string | undefined;
};

/** Whether the daemon can be used, in words. Rejects only with the signal's reason. */
export async function dockerHealth(looked: Looked, signal: AbortSignal): Promise<BackendHealth> {
  const { client, bounds, devRuntime } = looked;
  try {
    const info = await client.info(signal);
    const health = healthOf(info, client.endpoint, await soon(bounds(), signal));
    return devRuntime === undefined ? health : withDevRuntime(health, info, devRuntime);
  } catch (thrown) {
    signal.throwIfAborted();
    return unreachableHealth(toAppError(thrown).message);
  }
}

/** The first answer takes as long as a daemon far away takes to get our programs. */
async function soon(bounds: Promise<WorkspaceBounds>, signal: AbortSignal): Promise<WorkspaceBounds> {
  const late = Promise.withResolvers<WorkspaceBounds>();
  const timer = setTimeout(() => late.resolve(NOT_YET), PATIENCE_MS);
  try {
    return await unlessAborted(Promise.race([bounds, late.promise]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What a daemon says of itself, in words; with a remedy where it works and could be safer. */
export function healthOf(info: DaemonInfo, endpoint: DockerEndpoint, bounds: WorkspaceBounds): BackendHealth {
  const { product, version, storage, cgroups, rootless, userNamespaces, missingLimits } = info;
  const users = rootless ? "rootless" : `rootful, ${userNamespaces ? "" : "no "}user namespaces`;
  const facts = `${product} ${version}, ${storage}, ${cgroups}, ${users}`;
  const { held, missing: unheld } = inWords(bounds);
  const missing = [...missingLimits, ...unheld];
  const limits = missing.length === 0 ? "" : `; no limits on: ${missing.join(", ")}`;
  const detail = [facts, held].filter(Boolean).join(", ") + limits;
  const why = bounds.type === "none" ? bounds.why : "";
  const remedy = [...limitAdvice(info), why, ...networkAdvice(endpoint)].filter(Boolean).join(" ");
  const profiles = profilesHad({ root: true });
  return { name: "docker", works: true, detail, ...(remedy === "" ? {} : { remedy }), profiles };
}

/** As `healthOf`, with what there is to say of the runtime for the profile dev. */
export function withDevRuntime(health: BackendHealth, info: DaemonInfo, devRuntime: string): BackendHealth {
  const missing = missingRuntime(info, devRuntime);
  if (missing === undefined) return { ...health, detail: `${health.detail}, ${devRuntime} for the profile dev` };
  const remedy = [health.remedy ?? [], missing].flat().join(" ");
  return { ...health, remedy, profiles: profilesHad({ root: false }) };
}

function limitAdvice({ missingLimits, rootless }: DaemonInfo): readonly string[] {
  if (missingLimits.length === 0) return [];
  const how = rootless
    ? "Delegate control groups (cgroup v2) to the user that runs it, or use a rootful daemon."
    : "Turn on the kernel's control groups for them.";
  return [`A sandbox can take all that the daemon's machine has. ${how}`];
}

function networkAdvice(endpoint: DockerEndpoint): readonly string[] {
  if (endpoint.type !== "tcp" || isLoopback(endpoint.host)) return [];
  return ["Its port has no TLS: whoever reaches it is root on its machine. Use TLS, ssh or a socket."];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** `message` is a sentence on what is wrong, and one or more on what to do. */
function unreachableHealth(message: string): BackendHealth {
  const [detail = message, ...remedy] = message.split(/(?<=\.) (?=[A-Z])/);
  const advice =
    remedy.length === 0 ? "Check that the Docker daemon runs and that this user may use it." : remedy.join(" ");
  return { name: "docker", works: false, detail, remedy: advice, profiles: [] };
}
