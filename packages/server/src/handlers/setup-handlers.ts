import type { KeptSetupRow } from "@handrail/protocol/setup";
import type { Handlers } from "../http/handlers.ts";
import { requireFound } from "../setups/setup-store.ts";

/** What owners may do with the kept results of their set-ups. */
export type Setups = {
  list(ownerId: string): Promise<KeptSetupRow[]>;
  /** All when there is no id. Gives how many there were. */
  forget(ownerId: string, id?: string): Promise<number>;
};

export function setupHandlers(setups: Setups): Pick<Handlers, "setups" | "forgetSetups" | "forgetSetup"> {
  return {
    setups: async ({ identity }) => ({ setups: await setups.list(identity.userId) }),
    forgetSetups: async ({ identity }) => ({ forgotten: await setups.forget(identity.userId) }),
    async forgetSetup({ identity, params }) {
      const forgotten = await setups.forget(identity.userId, params.id);
      requireFound(forgotten);
      return { forgotten };
    },
  };
}
