import type { Handlers } from "../http/handlers.ts";
import type { Asks } from "../network/asks.ts";
import { keyOf } from "../network/repository-key.ts";
import type { StoredRules } from "../network/stored-rules.ts";

type Names = "networkRules" | "addNetworkRule" | "removeNetworkRule" | "answerAsk";

export type NetworkHandlerParts = { readonly storedRules: StoredRules; readonly asks: Asks };

export function networkHandlers({ storedRules, asks }: NetworkHandlerParts): Pick<Handlers, Names> {
  return {
    networkRules: async ({ identity }) => ({ rules: [...storedRules.of(identity.userId)] }),
    addNetworkRule: async ({ identity, body: { repository, ...rule } }) =>
      storedRules.add({
        ...rule,
        ownerId: identity.userId,
        repository: repository === undefined ? undefined : keyOf(repository),
      }),
    async removeNetworkRule({ identity, params }) {
      await storedRules.remove(identity.userId, params.ruleId);
      return {};
    },
    async answerAsk({ params, body }) {
      await asks.answer(params.id, params.askId, body);
      return {};
    },
  };
}
