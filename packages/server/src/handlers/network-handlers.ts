import { requireTeam } from "../auth/policy.ts";
import type { Handlers } from "../http/handlers.ts";
import type { Asks } from "../network/asks.ts";
import { keyOf } from "../network/repository-key.ts";
import { requireHosts, requireRepository } from "../network/require-hosts.ts";
import type { StoredRules } from "../network/stored-rules.ts";

type Names = "networkRules" | "addNetworkRule" | "removeNetworkRule" | "answerAsk";

export type NetworkHandlerParts = { readonly storedRules: StoredRules; readonly asks: Asks };

export function networkHandlers({ storedRules, asks }: NetworkHandlerParts): Pick<Handlers, Names> {
  return {
    networkRules: async ({ identity }) => ({ rules: [...storedRules.of(identity)] }),
    async addNetworkRule({ identity, body: { repository, ...rule } }) {
      requireTeam(rule.teamId, identity);
      requireHosts(rule, "hosts");
      if (repository !== undefined) requireRepository(repository, "repository");
      return storedRules.add({
        ...rule,
        ownerId: identity.userId,
        repository: repository === undefined ? undefined : keyOf(repository),
      });
    },
    async removeNetworkRule({ identity, params }) {
      await storedRules.remove(identity, params.ruleId);
      return {};
    },
    async answerAsk({ identity, params, body }) {
      await asks.answer(params.id, params.askId, { ...body, teams: identity.teams });
      return {};
    },
  };
}
