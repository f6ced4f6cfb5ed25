import type { Socket } from "node:net";
import { dial } from "./dial.ts";
import { findAddresses, type AddressSettings } from "./find-addresses.ts";
import type { Target } from "./host.ts";
import type { Refusal } from "./refusal.ts";

/** A connection to the target, to checked addresses only; or why there is none. The caller closes it. */
export async function openUpstream(target: Target, settings: AddressSettings): Promise<Socket | Refusal> {
  const addresses = await findAddresses(target.host, settings);
  if ("code" in addresses) return addresses;
  const socket = await dial(addresses, target.port);
  return (
    socket ?? { code: "unreachable", message: `${target.host.name}:${target.port} does not answer. Try again later.` }
  );
}
