import { join } from "node:path";
import type { LogStore } from "@handrail/core/ports/log-store";
import { idTime } from "@handrail/protocol/ids";
import { z } from "zod";
import { jsonFile } from "../settings/json-file.ts";

const Gap = z.object({ from: z.number(), until: z.number() });
/** Unix milliseconds. */
type Gap = z.infer<typeof Gap>;

/** The state directory's lock as it was last held, and the times that the directory knows nothing of. */
const RestoredFile = z.object({ lock: z.string(), gaps: z.array(Gap) });

/** For so long things of such a time are kept. */
const KEPT_MS = 30 * 24 * 3_600_000;
const MAX_GAPS = 100;

/** Conversations that this state directory cannot know: it was restored from a copy that is older than they are. */
export type RestoredState = {
  /** Whether a conversation may be one of those, by its id. */
  readonly mayMiss: (conversationId: string) => boolean;
  /** What has to be said of it at this start. */
  readonly warning: string | undefined;
};

/**
 * `lock` is that of the state directory, which no copy of it has: when it is another than at the last start, the directory
 * was restored, and nothing is known of what was made between its last event and now.
 */
export async function openRestoredState(
  home: string,
  lock: string,
  { store, nowMs }: { readonly store: Pick<LogStore, "list">; readonly nowMs: number },
): Promise<RestoredState> {
  const file = fileIn(home);
  const before = await file.read();
  const fresh = before === undefined || before.lock === lock ? [] : [{ from: await lastUpdate(store), until: nowMs }];
  const gaps = [...(before?.gaps ?? []), ...fresh].filter(({ until }) => nowMs - until < KEPT_MS).slice(-MAX_GAPS);
  if (before?.lock !== lock || gaps.length !== before.gaps.length) await file.write({ lock, gaps });
  return {
    mayMiss: (conversationId) => {
      const madeAt = idTime(conversationId);
      return gaps.some(({ from, until }) => madeAt > from && madeAt <= until);
    },
    warning: fresh[0] && told(fresh[0]),
  };
}

/** Remembers the directory's lock by another name, since it was put back after somebody had removed it. */
export async function noteLock(home: string, lock: string): Promise<void> {
  const file = fileIn(home);
  const before = await file.read();
  if (before !== undefined) await file.write({ ...before, lock });
}

const fileIn = (home: string) => jsonFile(join(home, "restored.json"), RestoredFile);

async function lastUpdate(store: Pick<LogStore, "list">): Promise<number> {
  const [latest] = await store.list({ limit: 1 });
  return latest?.updatedAt ?? 0;
}

function told({ from, until }: Gap): string {
  const [first, last] = [from, until].map((at) => new Date(at).toISOString());
  return `The state directory was restored or moved. Workspaces made between ${first} and ${last} are kept for 30 days, though no conversation here has them; without restored.json they go at the next start.`;
}
