/** What became of one item of a group. */
export type Settled<Result> = { readonly value: Result } | { readonly error: unknown };

export type GroupCommit<Item, Result> = {
  /** Settles once the item's group is written. */
  submit(item: Item): Promise<Result>;
  /** Settles once nothing is waiting or being written. */
  idle(): Promise<void>;
};

type Waiting<Item, Result> = {
  readonly item: Item;
  readonly resolve: (value: Result) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Writes one group at a time: what is submitted while a group is being written makes up the next one, in order.
 *
 * `write` gives one outcome for each item. When it throws, nothing of the group was written; each item is then tried
 * as a group of its own, so that one that cannot be written does not take the others with it.
 */
export function groupCommit<Item, Result>(
  write: (items: readonly Item[]) => Promise<readonly Settled<Result>[]>,
  maxItems: number,
): GroupCommit<Item, Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let working: Promise<void> | undefined;

  const attempt = async (group: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const outcomes = await write(group.map((entry) => entry.item));
      group.forEach((entry, index) => settle(entry, outcomes[index]));
    } catch (error) {
      if (group.length === 1) return group[0]?.reject(error);
      for (const entry of group) await attempt([entry]);
    }
  };
  const work = async (): Promise<void> => {
    // Those who were woken by the last group get to submit before the next one is closed.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      await attempt(waiting.splice(0, maxItems));
      await new Promise((resolve) => setImmediate(resolve));
    }
    working = undefined;
  };

  return {
    submit(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        working ??= work();
      });
    },
    idle: () => working ?? Promise.resolve(),
  };
}

function settle<Item, Result>(entry: Waiting<Item, Result>, outcome: Settled<Result> | undefined): void {
  if (outcome === undefined) entry.reject(new Error("The group was written without an outcome for this item."));
  else if ("error" in outcome) entry.reject(outcome.error);
  else entry.resolve(outcome.value);
}
