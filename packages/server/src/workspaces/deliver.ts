import type { z } from "zod";
import type { WORKSPACE_ROUTES } from "@handrail/protocol/workspace-routes";

/** How a result is to be taken out, and what came of it. */
export type DeliverWanted = z.infer<(typeof WORKSPACE_ROUTES)["deliver"]["body"]>;
export type Delivered = z.infer<(typeof WORKSPACE_ROUTES)["deliver"]["response"]>;

/** Takes a conversation's result out of its sandbox. */
export type Deliver = (conversationId: string, wanted: DeliverWanted, signal: AbortSignal) => Promise<Delivered>;
