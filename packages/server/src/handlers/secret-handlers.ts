import { requireTeam } from "../auth/policy.ts";
import type { Handlers } from "../http/handlers.ts";
import { requireHostNames, requireRepository } from "../network/require-hosts.ts";
import type { SecretStore } from "../secrets/secret-store.ts";

/** Each user has secrets of their own, and those of their teams. */
export function secretHandlers(store: SecretStore): Pick<Handlers, "secrets" | "saveSecret" | "removeSecret"> {
  return {
    secrets: async ({ identity }) => ({ secrets: [...(await store.list(identity.userId, identity.teams))] }),
    async saveSecret({ identity, params, body }) {
      requireTeam(body.scope.type === "team" ? body.scope.teamId : null, identity);
      if (body.scope.type === "repository") requireRepository(body.scope.url, "scope.url");
      if (body.use.type === "header") requireHostNames({ requests: body.use.hosts }, "use.hosts");
      if (body.use.type === "git") requireHostNames({ hosts: [body.use.host] }, "use.host");
      return store.save(identity.userId, params.name, body);
    },
    async removeSecret({ identity, params, query: { team: teamId = null } }) {
      requireTeam(teamId, identity);
      await store.remove({ ownerId: identity.userId, teamId }, params.name);
      return {};
    },
  };
}
