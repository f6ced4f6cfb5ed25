import type { CallTrace } from "../ports/tracer.ts";
import { type Call, ledgerStart } from "./call.ts";
import type { Core } from "./core.ts";

type Begun = Pick<Call, "id" | "at" | "caller" | "asked" | "route" | "parent">;

/** Undefined where nothing is traced. */
export function beginTrace({ tracer }: Core, { id, at, caller, asked, route, parent }: Begun): CallTrace | undefined {
  if (tracer === undefined) return undefined;
  const { conversationId, model, format, streamed, keyId } = ledgerStart(caller.key, asked);
  const conversation = conversationId !== undefined && { conversationId };
  return tracer.call({ callId: id, at, route, keyId, model, format, streamed, parent, ...conversation });
}
