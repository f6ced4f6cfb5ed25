import type { Handlers } from "../http/handlers.ts";
import type { SecretStore } from "../secrets/secret-store.ts";

/** Each user has secrets of their own. */
export function secretHandlers(store: SecretStore): Pick<Handlers, "secrets" | "saveSecret" | "removeSecret"> {
  return {
    secrets: async ({ identity }) => ({ secrets: [...(await store.list(identity.userId))] }),
    saveSecret: async ({ identity, params, body }) => store.save(identity.userId, params.name, body),
    async removeSecret({ identity, params }) {
      await store.remove(identity.userId, params.name);
      return {};
    },
  };
}
