import type { Clock } from "@handrail/core/ports/clock";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { PrepareSeed } from "@handrail/core/ports/workspace-seed";
import { newId } from "@handrail/protocol/ids";
import type { SandboxChoice } from "@handrail/protocol/sources";
import type { Backends } from "./ports.ts";

/**
 * Sandboxes that wait for conversations which do not exist yet. Each was started as an empty conversation's is, with
 * nothing of any user in it, under the id that its conversation will have: to use one is to give the new conversation
 * that id. First files come later, once the conversation is there.
 */
export type WarmPool = {
  /** An id for a new conversation: that of a sandbox which fits, if one waits, else a fresh one. */
  claim(choice: SandboxChoice): Claim;
  /** Spares that conversations claimed before `time`, whether used since or not. Each is told until it is forgotten. */
  claimedBefore(time: number): readonly string[];
  forget(id: string): void;
  /**
   * Puts the ids of all that wait, now and later, into `keep`, until the returned function is called; with them those that
   * were claimed, whose conversations may not be in a log yet.
   */
  keepIn(keep: Set<string>): () => void;
  readonly waiting: number;
  /** Removes those that wait. Never rejects. */
  close(): Promise<void>;
};

/** The id of one new conversation, which nothing else will have. */
export type Claim = {
  readonly id: string;
  readonly spare: boolean;
  /** The conversation is not made after all: a spare is removed, since it may be half made. */
  giveUp(): void;
};

export type WarmPoolParts = {
  readonly backends: Pick<Backends, "get">;
  readonly prepareSeed: PrepareSeed;
  readonly clock: Clock;
  /** How many wait at most, of all kinds together; 0 turns the pool off. */
  readonly max: number;
  readonly onFailure: (thrown: unknown) => void;
};

/** What is started alike. Demand is counted over the last half hour. */
type Kind = {
  readonly choice: SandboxChoice;
  uses: number[];
  readonly spares: Spare[];
  /** The id of the one that is being started. */
  making: string | undefined;
  /** After a failure nothing is tried until the kind is asked for again. */
  failed: boolean;
};

type Spare = { readonly id: string; gone: boolean };

const DEMAND_MS = 30 * 60_000;
/** The conversation that took one comes first. */
const REFILL_AFTER_MS = 1000;
const LOOK_EVERY_MS = 60_000;

export function warmPool(parts: WarmPoolParts): WarmPool {
  const pool = new Pool(parts);
  return pool;
}

class Pool implements WarmPool {
  readonly #parts: WarmPoolParts;
  readonly #kinds = new Map<string, Kind>();
  readonly #keeps = new Set<Set<string>>();
  /** Since when. */
  readonly #claimed = new Map<string, number>();
  readonly #closing = new AbortController();
  /** Starts and removals, one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  /** Ends the wait for the next look; undefined while nobody looks. */
  #wake: (() => void) | undefined;

  constructor(parts: WarmPoolParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#all().reduce((sum, { spares }) => sum + spares.length, 0);
  }

  claim(choice: SandboxChoice): Claim {
    const fresh = { id: newId("c", Date.now()), spare: false, giveUp: () => undefined };
    if (this.#parts.max === 0 || choice.backend === "none") return fresh;
    const kind = this.#kindOf(choice);
    kind.uses.push(this.#parts.clock.now());
    kind.failed = false;
    const spare = kind.spares.find(({ gone }) => !gone);
    this.#lookSoon();
    if (spare === undefined) return fresh;
    kind.spares.splice(kind.spares.indexOf(spare), 1);
    this.#claimed.set(spare.id, this.#parts.clock.now());
    const giveUp = () => {
      this.#claimed.delete(spare.id);
      kind.spares.push(spare);
      spare.gone = true;
      this.#lookSoon();
    };
    return { id: spare.id, spare: true, giveUp };
  }

  claimedBefore(time: number): readonly string[] {
    return [...this.#claimed].filter(([, at]) => at < time).map(([id]) => id);
  }

  forget(id: string): void {
    this.#claimed.delete(id);
  }

  keepIn(keep: Set<string>): () => void {
    this.#keeps.add(keep);
    for (const id of this.#claimed.keys()) keep.add(id);
    for (const { spares, making } of this.#all()) {
      for (const { id } of spares) keep.add(id);
      if (making !== undefined) keep.add(making);
    }
    return () => this.#keeps.delete(keep);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The server stops."));
    await this.#work.catch(() => undefined);
    for (const kind of this.#all()) {
      for (const spare of kind.spares.splice(0)) await this.#remove(kind, spare).catch(() => undefined);
    }
  }

  #all(): Kind[] {
    return [...this.#kinds.values()];
  }

  /** The network rule is not part of a sandbox: it is looked up at each request. */
  #kindOf(choice: SandboxChoice): Kind {
    const { network: _, ...made } = choice;
    const key = JSON.stringify(Object.entries(made).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const kind: Kind = { choice, uses: [], spares: [], making: undefined, failed: false };
    this.#kinds.set(key, kind);
    return kind;
  }

  #lookSoon(): void {
    if (this.#wake !== undefined) return this.#wake();
    this.#wake = () => undefined;
    this.#look()
      .catch((thrown: unknown) => {
        if (!this.#closing.signal.aborted) this.#parts.onFailure(thrown);
      })
      .finally(() => (this.#wake = undefined));
  }

  /** Fills up and clears away until there is nothing to wait for any more. */
  async #look(): Promise<void> {
    while (this.#kinds.size > 0) {
      await this.#parts.clock.sleep(REFILL_AFTER_MS, this.#closing.signal);
      this.#work = this.#tend();
      await this.#work;
      await this.#rest();
    }
  }

  async #rest(): Promise<void> {
    const asked = new AbortController();
    this.#wake = () => asked.abort(new Error("Somebody asked."));
    const signal = AbortSignal.any([this.#closing.signal, asked.signal]);
    await this.#parts.clock.sleep(LOOK_EVERY_MS, signal).catch((thrown: unknown) => {
      if (!asked.signal.aborted) throw thrown;
    });
  }

  async #tend(): Promise<void> {
    for (const [key, kind] of this.#kinds) {
      const since = this.#parts.clock.now() - DEMAND_MS;
      kind.uses = kind.uses.filter((at) => at > since);
      const wanted = Math.min(kind.uses.length, this.#parts.max);
      for (const spare of kind.spares.filter(({ gone }, index) => gone || index >= wanted)) {
        kind.spares.splice(kind.spares.indexOf(spare), 1);
        await this.#remove(kind, spare).catch(this.#parts.onFailure);
      }
      while (kind.spares.length < wanted && this.waiting < this.#parts.max && !kind.failed) await this.#make(kind);
      if (wanted === 0 && kind.spares.length === 0) this.#kinds.delete(key);
    }
  }

  async #make(kind: Kind): Promise<void> {
    const { onFailure } = this.#parts;
    const id = newId("c", Date.now());
    kind.making = id;
    for (const keep of this.#keeps) keep.add(id);
    try {
      kind.spares.push(spareOf(id, await this.#start(id, kind.choice)));
    } catch (thrown) {
      kind.failed = true;
      await this.#remove(kind, { id, gone: true }).catch(() => undefined);
      if (!this.#closing.signal.aborted) onFailure(thrown);
    } finally {
      kind.making = undefined;
    }
  }

  async #start(conversationId: string, choice: SandboxChoice): Promise<Sandbox> {
    const { backends, prepareSeed } = this.#parts;
    const { signal } = this.#closing;
    const say = () => undefined;
    const backend = await backends.get(choice.backend);
    const seed = await prepareSeed({ type: "empty" }, say, signal);
    try {
      return await backend.start({ conversationId, choice, seedDirectory: seed.directory }, say, signal);
    } finally {
      await seed.dispose();
    }
  }

  async #remove({ choice }: Kind, { id }: Spare): Promise<void> {
    await (await this.#parts.backends.get(choice.backend)).remove(id);
  }
}

function spareOf(id: string, sandbox: Sandbox): Spare {
  const spare = { id, gone: false };
  sandbox.gone.then(
    () => (spare.gone = true),
    () => undefined,
  );
  return spare;
}
