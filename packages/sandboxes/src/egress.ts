import type { Duplex } from "node:stream";

/** Whose connection it is. It is ours: nothing in the sandbox can change it. */
export type EgressOrigin = { readonly conversationId: string };

/**
 * Takes over a connection that a program in a sandbox made to the proxy; the stream speaks HTTP proxy or SOCKS5. Ends
 * it. What the conversation may reach is looked up there, for each request: a sandbox outlives changes of its rules.
 */
export type Egress = (origin: EgressOrigin, stream: Duplex) => void;
