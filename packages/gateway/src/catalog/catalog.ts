import type { Catalog, Deployment, Group, Strategy } from "../ports/deployment.ts";

/** What applies to names rather than to places. Fallbacks are by the name that failed; `*` stands for all others. */
export type CatalogRules = {
  readonly strategy: Strategy;
  readonly aliases: Readonly<Record<string, string>>;
  readonly fallbacks: Readonly<Record<string, readonly string[]>>;
  readonly contextFallbacks: Readonly<Record<string, readonly string[]>>;
  readonly contentFallbacks: Readonly<Record<string, readonly string[]>>;
  /** For every name that has no fallbacks of its own. */
  readonly defaultFallbacks: readonly string[];
};

export const NO_RULES: CatalogRules = {
  strategy: "weighted",
  aliases: {},
  fallbacks: {},
  contextFallbacks: {},
  contentFallbacks: {},
  defaultFallbacks: [],
};

/**
 * The names under which deployments can be asked for. `deployments` is asked at every call, and its groups are made anew only when
 * it gives another list; so it gives the same one until something changes. A group of a wildcard has the name that was asked for,
 * and its deployments' models have the `*` filled in.
 */
export function catalogOf(
  deployments: () => readonly Deployment[],
  rules: () => CatalogRules = () => NO_RULES,
): Catalog {
  let made: Index | undefined;
  const index = () => {
    const [places, laws] = [deployments(), rules()];
    if (made?.places !== places || made.rules !== laws) made = indexOf(places, laws);
    return made;
  };
  return {
    find: (name) => find(index(), name),
    list: () => index().groups,
  };
}

type Index = {
  readonly places: readonly Deployment[];
  readonly rules: CatalogRules;
  readonly groups: readonly Group[];
  readonly exact: ReadonlyMap<string, Group>;
  /** The longest first. */
  readonly wildcards: readonly Group[];
};

function indexOf(places: readonly Deployment[], rules: CatalogRules): Index {
  const byName = Map.groupBy(places, ({ name }) => name);
  const groups = [...byName].map(([name, deployments]) => groupOf(name, deployments, rules));
  const wildcards = groups.filter(({ name }) => name.endsWith("*"));
  return {
    places,
    rules,
    groups,
    exact: new Map(groups.map((group) => [group.name, group])),
    wildcards: wildcards.toSorted((a, b) => b.name.length - a.name.length),
  };
}

/** An alias wins over a name, and is followed once. */
function find({ rules, exact, wildcards }: Index, asked: string): Group | undefined {
  const name = own(rules.aliases, asked) ?? asked;
  if (name.includes("*")) return undefined;
  const group = exact.get(name);
  if (group) return group;
  const wild = wildcards.find((candidate) => name.startsWith(candidate.name.slice(0, -1)));
  if (!wild) return undefined;
  const star = name.slice(wild.name.length - 1);
  if (star === "") return undefined;
  const deployments = wild.deployments.map((place) => filled(place, name, star));
  return { ...groupOf(name, deployments, rules), ...inherited(wild, name, rules) };
}

function filled(place: Deployment, name: string, star: string): Deployment {
  // Never a string as the replacement: `$&` in a name would mean something.
  return { ...place, name, model: place.model.replace("*", () => star) };
}

function inherited(wild: Group, name: string, rules: CatalogRules): Partial<Group> {
  const has = (chain: CatalogRules["fallbacks"]) => own(chain, name) !== undefined;
  return {
    ...(has(rules.fallbacks) ? {} : { fallbacks: wild.fallbacks }),
    ...(has(rules.contextFallbacks) ? {} : { contextFallbacks: wild.contextFallbacks }),
    ...(has(rules.contentFallbacks) ? {} : { contentFallbacks: wild.contentFallbacks }),
  };
}

function groupOf(name: string, deployments: readonly Deployment[], rules: CatalogRules): Group {
  const chain = (chains: CatalogRules["fallbacks"]) =>
    (own(chains, name) ?? own(chains, "*"))?.filter((next) => next !== name);
  return {
    name,
    deployments,
    strategy: rules.strategy,
    fallbacks: chain(rules.fallbacks) ?? rules.defaultFallbacks.filter((next) => next !== name),
    contextFallbacks: chain(rules.contextFallbacks) ?? [],
    contentFallbacks: chain(rules.contentFallbacks) ?? [],
  };
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
