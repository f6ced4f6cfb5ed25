import { AppError } from "@handrail/protocol/errors";
import type { CriClient } from "./cri-client.ts";
import { CriError, firstWords } from "./cri-error.ts";
import type { RuntimeStatus, RuntimeVersion } from "./cri-shapes.ts";
import { unlessAborted } from "../shared-work.ts";
import { handlersIn } from "./runtime-facts.ts";

/** What holds programs that are root of their sandbox. */
export type RootFence = {
  /** The runtime handler that has it; empty: the runtime's default one. */
  readonly handler: string;
  /** A kernel of the sandbox's own, or users of the machine who own nothing on it. */
  readonly by: "kernel" | "users";
};

/** Why there is none, without a full stop, and what to do. */
export type NoFence = { readonly why: string; readonly remedy: string };

export type FenceWish = {
  readonly client: Pick<CriClient, "version" | "status">;
  /** The handler of other sandboxes; empty: the runtime's default one. */
  readonly runtimeHandler: string;
  /** The handler that the settings name for sandboxes that are root. */
  readonly devRuntime: string | undefined;
  /** Whether programs under that handler have another kernel than the machine's. @throws CriError */
  readonly hasOwnKernel: () => Promise<boolean>;
};

/**
 * Finds out what would hold root of a sandbox: the kernel of the handler that the settings name, which is asked for;
 * otherwise a user namespace, where the runtime says that its handler can make one. @throws AppError `backend_unavailable`
 */
export async function findRootFence(wish: FenceWish, signal: AbortSignal): Promise<RootFence | NoFence> {
  const { client, runtimeHandler, devRuntime } = wish;
  const [version, status] = await Promise.all([client.version(signal), client.status(signal)]);
  if (devRuntime !== undefined) {
    const missing = missingHandler(status, devRuntime) ?? (await sharedKernel(wish, devRuntime, signal));
    if (missing === undefined) return { handler: devRuntime, by: "kernel" };
    return mapsUsers(status, devRuntime) ? { handler: devRuntime, by: "users" } : missing;
  }
  return mapsUsers(status, runtimeHandler) ? { handler: runtimeHandler, by: "users" } : withoutUsers(version);
}

/** @throws AppError `backend_unavailable` where there is no fence */
export function requireFence(found: RootFence | NoFence): RootFence {
  if ("by" in found) return found;
  const message = `containerd sandboxes do not have the profile dev here: ${found.why}. ${found.remedy} Or use the docker backend, or another profile.`;
  throw new AppError("backend_unavailable", message, { profile: "dev" });
}

/** What there is to say of the profile dev, after what a runtime is. */
export function fenceText(found: RootFence | NoFence): string {
  if ("why" in found) return `no profile dev: ${found.why}`;
  return found.by === "users" ? "dev in user namespaces" : `dev with the kernel of ${found.handler}`;
}

function missingHandler(status: RuntimeStatus, handler: string): NoFence | undefined {
  const known = handlersIn(status);
  if (known.length === 0 || known.includes(handler)) return undefined;
  return {
    why: `the runtime has no handler ${handler} (it has: ${known.join(", ")})`,
    remedy: "Add it to the runtime's configuration and restart it, or set containerd-dev-runtime to one that it has.",
  };
}

async function sharedKernel(wish: FenceWish, handler: string, signal: AbortSignal): Promise<NoFence | undefined> {
  try {
    if (await unlessAborted(wish.hasOwnKernel(), signal)) return undefined;
  } catch (thrown) {
    if (thrown instanceof CriError) return unasked(handler, thrown);
    throw thrown;
  }
  return {
    why: `the handler ${handler} gives pods neither a kernel nor users of their own`,
    remedy: `Set containerd-dev-runtime to one that does, such as gVisor's runsc.`,
  };
}

/** What is known of a handler that could not be asked. */
export function unasked(handler: string, thrown: unknown): NoFence {
  const reason = thrown instanceof Error ? firstWords(thrown.message).replace(/\.$/, "") : String(thrown);
  const why = `nothing starts under the handler ${handler === "" ? "of the runtime's choice" : handler} (${reason})`;
  return { why, remedy: "Look into the runtime's configuration and its log." };
}

function mapsUsers({ handlers }: RuntimeStatus, handler: string): boolean {
  return handlers.some(({ name, features }) => name === handler && features?.userNamespaces === true);
}

function withoutUsers({ runtimeName, runtimeVersion }: RuntimeVersion): NoFence {
  return {
    why: `${runtimeName} ${runtimeVersion} gives pods no users of their own`,
    remedy:
      "That takes containerd 2 or a recent CRI-O with runc 1.2 or crun 1.9; or set containerd-dev-runtime to a handler with a kernel of its own, such as gVisor's runsc.",
  };
}
