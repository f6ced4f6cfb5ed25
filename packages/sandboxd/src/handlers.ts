import type { OperationArgs, OperationName, OperationResult } from "@handrail/protocol/sandboxd/operations";
import type { Feed } from "./terminals/feed.ts";

/** A call as its operation sees it. */
export type CallContext = {
  readonly id: string;
  /** Aborted when the call is cancelled; the operation then ends soon, in its own way. */
  readonly signal: AbortSignal;
  /** Says where the call's raw output can be followed. */
  readonly feed: (feed: Feed) => void;
};

/** @throws AppError with the operation's own code */
export type Handler<Name extends OperationName> = (
  args: OperationArgs<Name>,
  call: CallContext,
) => Promise<OperationResult<Name>>;

export type Handlers = { readonly [Name in OperationName]: Handler<Name> };
