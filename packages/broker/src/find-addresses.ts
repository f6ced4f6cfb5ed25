import { networkInterfaces } from "node:os";
import type { Host } from "./host.ts";
import { isLoopback, isPrivateAddress, isPublicAddress } from "./public-address.ts";
import type { Refusal } from "./refusal.ts";

/** The addresses of a name, as the system knows them. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** The addresses of this machine's interfaces. */
export const systemAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));

/** How long a lookup may take. */
export const RESOLVE_MS = 10_000;
const MAX_ADDRESSES = 32;

/** Which addresses beside the public ones may be reached. */
export type Reach = {
  /** Whether the host may have addresses in private networks. */
  readonly mayBePrivate: (host: Host) => boolean;
  readonly allowLoopback: boolean;
  /** This machine's, as they are now: what listens on them may be closed to the outside. */
  readonly ownAddresses: () => readonly string[];
};

export type AddressSettings = Reach & { readonly resolve: Resolve };

/**
 * The addresses to dial for a host, asked for once, so that what was checked is what is dialled. One that is not public
 * refuses the host as a whole, unless the host may be in a private network and the address is in one. So does one of this
 * machine, which may be public, too.
 */
export async function findAddresses(host: Host, settings: AddressSettings): Promise<readonly string[] | Refusal> {
  const addresses = host.address ? [host.name] : await resolved(host.name, settings.resolve);
  if (addresses.length === 0 || addresses.length > MAX_ADDRESSES) {
    return { code: "name_unresolved", message: `The name ${host.name} could not be resolved. Check its spelling.` };
  }
  return addressRefusal(host, addresses, settings) ?? addresses;
}

/** Why a host is refused before a person is asked for it: its address is in its name already, and is out of reach. */
export function literalRefusal(host: Host, reach: Reach): Refusal | undefined {
  if (host.address) return addressRefusal(host, [host.name], reach);
  return /(?:^|\.)localhost$/.test(host.name) ? addressRefusal(host, ["127.0.0.1"], reach) : undefined;
}

function addressRefusal(host: Host, addresses: readonly string[], reach: Reach): Refusal | undefined {
  const allowPrivate = reach.mayBePrivate(host);
  const own = allowPrivate ? [] : reach.ownAddresses();
  const allowed = (address: string) =>
    (isPublicAddress(address) && !own.includes(address)) ||
    (allowPrivate && isPrivateAddress(address)) ||
    (reach.allowLoopback && isLoopback(address));
  if (addresses.every(allowed)) return undefined;
  return {
    code: "address_forbidden",
    message: `${host.name} is not on the public internet. A sandbox cannot reach this machine or its private networks, but for hosts that the operator names.`,
  };
}

/** None when the name is unknown, the resolver fails, or it takes too long. */
async function resolved(name: string, resolve: Resolve): Promise<readonly string[]> {
  const late = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(() => late.resolve([]), RESOLVE_MS);
  try {
    return await Promise.race([resolve(name), late.promise]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}
