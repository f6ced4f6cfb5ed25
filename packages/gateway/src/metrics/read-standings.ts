import type { Books } from "../ports/books.ts";
import type { KeyRecord, OwnerRecord } from "../ports/keys.ts";
import type { LimitedScope } from "../ports/limits.ts";
import type { Standing } from "./gauges.ts";

const MAX_OF_A_KIND = 500;

/** Where keys, users and teams with limits stand; nothing while the books are away. Those of conversations' keys are left out. */
export async function readStandings({ keys, ledger }: Books): Promise<readonly Standing[]> {
  try {
    const [all, users, teams] = await Promise.all([keys.list(), keys.owners("user"), keys.owners("team")]);
    const active = all.filter((key) => key.revokedAt === undefined && key.conversationId === undefined);
    const limited = [...subjects(active.map(ofKey)), ...subjects(users.map(ofOwner)), ...subjects(teams.map(ofOwner))];
    const states = await ledger.states(limited.map(({ scope }) => scope));
    const byScope = Map.groupBy(states, ({ scope }) => scope);
    return limited.map(({ kind, id, name, scope }) => ({ kind, id, name, limits: byScope.get(scope.id) ?? [] }));
  } catch {
    // Metrics tell of books that are away otherwise; a scrape that fails would tell nothing at all.
    return [];
  }
}

type Subject = Omit<Standing, "limits"> & { readonly scope: LimitedScope };

const subjects = (all: readonly Subject[]) =>
  all.filter(({ scope }) => Object.keys(scope.limits).length > 0).slice(0, MAX_OF_A_KIND);

const ofKey = ({ id, hash, name, limits }: KeyRecord): Subject => ({
  kind: "key",
  id: hash,
  name,
  scope: { id: `key:${id}`, limits },
});

const ofOwner = ({ kind, id, name, limits }: OwnerRecord): Subject => ({
  kind,
  id,
  name,
  scope: { id: `${kind}:${id}`, limits },
});
