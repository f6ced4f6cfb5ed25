import type { SetupCache } from "@handrail/core/ports/setup-cache";
import type { KeptFiles } from "../checkpoints/kept-files.ts";
import { systemClock } from "../clock.ts";
import type { SetupConfig } from "../config.ts";
import type { Setups } from "../handlers/setup-handlers.ts";
import { setupCache } from "../setups/setup-cache.ts";
import { forgetSetups, listSetups } from "../setups/setup-store.ts";
import type { State } from "./state.ts";

/** Undefined when results of set-ups are not kept. */
export function openSetupCache(kept: KeptFiles | undefined, { cacheBytes }: SetupConfig): SetupCache | undefined {
  if (kept === undefined || cacheBytes === 0) return undefined;
  return setupCache({ ...kept, clock: systemClock });
}

/** Kept results for the routes; none when checkpoints are off. */
export function openSetups({ kept }: Pick<State, "kept">): Setups {
  return {
    list: async (ownerId) => (kept === undefined ? [] : listSetups(kept.lineages, ownerId)),
    forget: async (ownerId, id) => (kept === undefined ? 0 : forgetSetups(kept.lineages, ownerId, id)),
  };
}
