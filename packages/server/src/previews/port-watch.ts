import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { ListeningPort } from "@handrail/protocol/sandboxd/operations";
import type { LiveDeltas } from "../conversations/live-deltas.ts";
import type { SandboxKeeper } from "../conversations/sandbox-keeper.ts";

export type PortWatchParts = {
  readonly deltas: Pick<LiveDeltas, "emit" | "isWatched" | "onWatch">;
  readonly sandboxes: Pick<SandboxKeeper, "current" | "onOpen">;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
};

/** What programs in sandboxes serve, looked after while somebody watches the conversation. */
export type PortWatch = {
  /** As they are now; none where no sandbox runs. Never rejects. */
  ports(conversationId: string, signal: AbortSignal): Promise<readonly ListeningPort[]>;
};

const WAIT_MS = 20_000;
/** After a failure it is asked once more so much later, as long as somebody watches. */
const AGAIN_MS = 2_000;
/** Between answers, whatever the sandbox has to tell. */
const PAUSE_MS = 250;

export function portWatch({ deltas, sandboxes, signal }: PortWatchParts): PortWatch {
  const known = new Map<string, readonly ListeningPort[]>();
  const followed = new Set<string>();
  const tell = (id: string, ports: readonly ListeningPort[]) => {
    if (ports.length === 0) known.delete(id);
    else known.set(id, ports);
    deltas.emit(id, { type: "ports.delta", ports: [...ports] });
  };
  const follow = async (id: string, sandbox: Sandbox): Promise<void> => {
    while (deltas.isWatched(id) && sandboxes.current(id) === sandbox) {
      const before = (known.get(id) ?? []).map(({ port }) => port);
      const { ports } = await sandbox.call("port.wait", { known: before, timeoutMs: WAIT_MS }, { signal });
      if (!samePorts(ports, before)) tell(id, ports);
      await sleep(PAUSE_MS, undefined, { signal, ref: false });
    }
  };
  const begin = (id: string) => {
    const sandbox = isolated(sandboxes.current(id));
    if (followed.has(id) || sandbox === undefined || !deltas.isWatched(id)) return;
    followed.add(id);
    follow(id, sandbox)
      // Its sandboxd did not answer, or is an older one that knows nothing of ports.
      .catch(() => sleep(AGAIN_MS, undefined, { signal, ref: false }))
      .catch(() => undefined)
      .finally(() => {
        followed.delete(id);
        if (sandboxes.current(id) !== sandbox && known.has(id)) tell(id, []);
        if (!signal.aborted) begin(id);
      });
  };
  deltas.onWatch(begin);
  sandboxes.onOpen(begin);
  return {
    async ports(id, asked) {
      const sandbox = isolated(sandboxes.current(id));
      const look = sandbox?.call("port.wait", { known: [], timeoutMs: 0 }, { signal: asked });
      return (await look?.catch(() => undefined))?.ports ?? [];
    },
  };
}

/** Without isolation its ports are the whole machine's. */
const isolated = (sandbox: Sandbox | undefined) => (sandbox?.backend === "none" ? undefined : sandbox);

const samePorts = (ports: readonly ListeningPort[], before: readonly number[]) =>
  ports.length === before.length && ports.every(({ port }) => before.includes(port));
