import type { Catalog, Deployment, Group } from "../ports/deployment.ts";

/** What metrics call names and places: only what the catalog has, so that clients cannot make up new ones. */
export type PlaceNames = {
  /** A name of the catalog, the wildcard that covers it, or `other`. */
  group(name: string): string;
  apiBase(deploymentId: string | undefined): string;
};

/** Looks names up in the catalog as it is at the time. */
export function placeNames(catalog: Catalog): PlaceNames {
  let made: Index | undefined;
  const index = () => {
    const groups = catalog.list();
    if (made?.groups !== groups) made = indexOf(groups);
    return made;
  };
  return {
    group(name) {
      const { names, wildcards } = index();
      if (names.has(name)) return name;
      return wildcards.find((wildcard) => name.startsWith(wildcard.slice(0, -1))) ?? "other";
    },
    apiBase: (id) => index().places.get(id ?? "")?.baseUrl ?? "",
  };
}

type Index = {
  readonly groups: readonly Group[];
  readonly names: ReadonlySet<string>;
  /** The longest first. */
  readonly wildcards: readonly string[];
  readonly places: ReadonlyMap<string, Deployment>;
};

function indexOf(groups: readonly Group[]): Index {
  const names = groups.map(({ name }) => name);
  return {
    groups,
    names: new Set(names),
    wildcards: names.filter((name) => name.endsWith("*")).toSorted((a, b) => b.length - a.length),
    places: new Map(groups.flatMap(({ deployments }) => deployments.map((place) => [place.id, place] as const))),
  };
}
