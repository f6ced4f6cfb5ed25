import { lookup, Resolver } from "node:dns/promises";
import { setTimeout as delay } from "node:timers/promises";
import { RESOLVE_MS, type Resolve } from "./find-addresses.ts";
import { addressesIn, type NameFiles, namesAreKnownBy, readNameFiles, searchedNames } from "./name-files.ts";

/** How name servers are asked. */
export type NameServers = {
  /** `address:port`; undefined: those of the system. */
  readonly servers?: readonly string[];
  /** How long one may take for an answer, in milliseconds, before it is asked once more. */
  readonly timeoutMs: number;
};

const SYSTEM: NameServers = { timeoutMs: 3_000 };
/** How long addresses of one kind are waited for when those of the other are there. Cf. RFC 8305 3. */
const OTHER_KIND_MS = 300;
const NOT_THERE = new Set(["ENOTFOUND", "ENODATA"]);

/**
 * The addresses of a name as the system knows them, without its own function for that where its files say all: this one
 * has a thread for itself until name servers have answered, and a process has two for all its names. Whoever owns a zone
 * would hold them.
 */
export const systemResolve: Resolve = (name) => resolveBy(name, readNameFiles, SYSTEM);

/** @throws as the name servers fail; a name that is not there has no addresses */
export async function resolveBy(
  name: string,
  readFiles: () => Promise<NameFiles>,
  servers: NameServers,
): Promise<readonly string[]> {
  const files = process.platform === "linux" ? await readFiles() : undefined;
  if (files === undefined || !namesAreKnownBy(files, name)) return libraryResolve(name);
  const known = addressesIn(files, name);
  return known.length > 0 ? known : askServers(searchedNames(files, name), servers);
}

async function libraryResolve(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map((found) => found.address);
}

/** The addresses of the first of the names that has some. */
async function askServers(names: readonly string[], { servers, timeoutMs }: NameServers): Promise<readonly string[]> {
  // A new one each time: it reads resolv.conf, which changes with the network.
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const timer = setTimeout(() => resolver.cancel(), RESOLVE_MS);
  try {
    let failure: unknown;
    for (const name of names) {
      const found = await bothKinds(resolver, name).catch((thrown: unknown) => void (failure = thrown));
      if (found !== undefined && found.length > 0) return found;
    }
    if (failure !== undefined) throw failure;
    return [];
  } finally {
    clearTimeout(timer);
    resolver.cancel();
  }
}

/** IPv4 first, as most systems reach it. A server that does not answer for one kind does not hold up the other for long. */
async function bothKinds(resolver: Resolver, name: string): Promise<readonly string[]> {
  const kinds = [resolver.resolve4(name), resolver.resolve6(name)].map((asked) => asked.catch(unlessNotThere));
  const late = Promise.any(kinds.map(some)).then(
    () => delay(OTHER_KIND_MS, [], { ref: false }),
    () => new Promise<never>(() => undefined),
  );
  const settled = await Promise.allSettled(kinds.map((kind) => Promise.race([kind, late])));
  const found = settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (found.length === 0 && failed !== undefined) throw failed.reason;
  return found;
}

async function some(kind: Promise<readonly string[]>): Promise<void> {
  if ((await kind).length === 0) throw new Error("There are no addresses of this kind.");
}

function unlessNotThere(thrown: unknown): string[] {
  if (NOT_THERE.has((thrown as NodeJS.ErrnoException).code ?? "")) return [];
  throw thrown;
}
