import type { Journal } from "@handrail/core/journal";
import { openSandbox, type OpenSandbox } from "@handrail/core/open-sandbox";
import type { Clock } from "@handrail/core/ports/clock";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { Snapshots } from "@handrail/core/ports/snapshots";
import type { FillWorkspace, PrepareSeed, Seed } from "@handrail/core/ports/workspace-seed";
import type { EventOf } from "@handrail/protocol/events";
import type { IdPrefix } from "@handrail/protocol/ids";
import { keyedTurns } from "./keyed-turns.ts";
import type { Backends } from "./ports.ts";

type StopReason = EventOf<"sandbox.stopped">["reason"];

/** The sandboxes of this server's conversations. Starts, stops and removals of one conversation never overlap. */
export type SandboxKeeper = {
  /** The conversation's sandbox, found or started. @throws AppError as `SandboxBackend.start` and `PrepareSeed` do */
  open(journal: Journal, onProgress: (text: string) => void, signal: AbortSignal): Promise<Sandbox>;
  /** The sandbox if it runs; never starts one. */
  readonly find: (journal: Journal, signal: AbortSignal) => Promise<Sandbox | undefined>;
  /** Ends the sandbox, keeps the workspace, and writes why. */
  stop(journal: Journal, reason: StopReason): Promise<void>;
  /** Ends the sandbox and forgets the workspace. */
  remove(journal: Journal): Promise<void>;
  /** Marks the sandbox as in use until the returned function is called. */
  hold(conversationId: string): () => void;
  /** Conversations whose sandbox nothing has used since `time`. */
  unusedSince(time: number): readonly string[];
  /** The sandbox that this server is connected to. Does not count as a use. */
  current(conversationId: string): Sandbox | undefined;
  /** Calls back when this server has connected to a sandbox. */
  onOpen(listener: (conversationId: string) => void): void;
  readonly running: number;
};

export type SandboxKeeperParts = {
  readonly backends: Pick<Backends, "get">;
  readonly prepareSeed: PrepareSeed;
  readonly emptySeed: () => Promise<Seed>;
  readonly fillWorkspace: FillWorkspace;
  /** Undefined: workspaces are kept nowhere else. */
  readonly snapshots: Snapshots | undefined;
  readonly setup?: OpenSandbox["setup"];
  readonly newId: (prefix: IdPrefix) => string;
  readonly clock: Clock;
};

export function sandboxKeeper(parts: SandboxKeeperParts): SandboxKeeper {
  const kept = keptSandboxes(parts.clock);
  const inTurn = keyedTurns();
  const backendOf = ({ state }: Journal) => parts.backends.get(state.sandbox.backend);

  return {
    ...kept.uses,
    open: (journal, onProgress, signal) =>
      inTurn(journal.state.id, async () => {
        signal.throwIfAborted();
        const known = kept.live(journal);
        if (known !== undefined) return known;
        const ports = { ...parts, journal, backend: await backendOf(journal) };
        return kept.keep(journal.state.id, await openSandbox(ports, onProgress, signal));
      }),
    async find(journal, signal) {
      const known = kept.live(journal);
      const { liveSandbox, id } = journal.state;
      if (known !== undefined || liveSandbox === null) return known;
      const found = await (await backendOf(journal)).find(id, signal);
      return found === undefined || found.bootId !== liveSandbox.bootId ? undefined : kept.keep(id, found);
    },
    stop: (journal, reason) =>
      inTurn(journal.state.id, async () => {
        kept.forget(journal.state.id);
        await (await backendOf(journal)).stop(journal.state.id);
        await journal.commit(({ liveSandbox }) =>
          liveSandbox === null ? [] : [{ type: "sandbox.stopped", sandboxId: liveSandbox.sandboxId, reason }],
        );
      }),
    remove: (journal) =>
      inTurn(journal.state.id, async () => {
        kept.forget(journal.state.id);
        await (await backendOf(journal)).remove(journal.state.id);
      }),
    get running() {
      return kept.size();
    },
  };
}

type Kept = { readonly sandbox: Sandbox; usedAt: number };

/** Sandboxes that this process is connected to, with when each was last used. */
function keptSandboxes(clock: Clock) {
  const kept = new Map<string, Kept>();
  const holds = new Map<string, number>();
  const listeners: ((conversationId: string) => void)[] = [];
  const uses: Pick<SandboxKeeper, "hold" | "unusedSince" | "current" | "onOpen"> = {
    current: (id) => kept.get(id)?.sandbox,
    onOpen: (listener) => void listeners.push(listener),
    hold(id) {
      holds.set(id, (holds.get(id) ?? 0) + 1);
      return () => {
        holds.set(id, (holds.get(id) ?? 1) - 1);
        const entry = kept.get(id);
        if (entry !== undefined) entry.usedAt = clock.now();
      };
    },
    unusedSince: (time) =>
      [...kept].filter(([id, entry]) => (holds.get(id) ?? 0) === 0 && entry.usedAt < time).map(([id]) => id),
  };
  return {
    uses,
    size: () => kept.size,
    forget: (id: string) => kept.delete(id),
    keep(id: string, sandbox: Sandbox) {
      kept.set(id, { sandbox, usedAt: clock.now() });
      sandbox.gone.then(
        () => kept.get(id)?.sandbox === sandbox && kept.delete(id),
        () => undefined,
      );
      for (const listener of listeners) listener(id);
      return sandbox;
    },
    /** Only the start of sandboxd that the log names will do. */
    live({ state }: Journal) {
      const entry = kept.get(state.id);
      if (entry === undefined || entry.sandbox.bootId !== state.liveSandbox?.bootId) return undefined;
      entry.usedAt = clock.now();
      return entry.sandbox;
    },
  };
}
