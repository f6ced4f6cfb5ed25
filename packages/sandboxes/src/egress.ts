import type { Duplex } from "node:stream";
import type { NetworkRule } from "@handrail/protocol/sources";

/** Whose connection it is, and what it may reach. Both are ours: nothing in the sandbox can change them. */
export type EgressOrigin = { readonly conversationId: string; readonly network: NetworkRule };

/** Takes over a connection that a program in a sandbox made to the proxy; the stream speaks HTTP proxy. Ends it. */
export type Egress = (origin: EgressOrigin, stream: Duplex) => void;

/** Hands a connection over, or ends it where the rule is that there is no network. */
export function takeEgress(egress: Egress, origin: EgressOrigin, stream: Duplex): void {
  if (origin.network.type === "none") stream.destroy();
  else egress(origin, stream);
}
