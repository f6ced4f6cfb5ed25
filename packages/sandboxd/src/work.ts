import { ToSandboxd } from "@handrail/protocol/sandboxd/to-sandboxd";
import type { Handlers } from "./handlers.ts";
import { operations, type Operations, type Place } from "./operations.ts";
import { rest } from "./rest.ts";
import { Calls } from "./wire/calls.ts";

/** What a sandbox does for servers that were welcomed. */
export type Work = Omit<Operations, "handlers"> & {
  readonly calls: Calls;
  /** A message of a server. @throws ZodError for what is none */
  readonly read: (message: unknown) => ToSandboxd;
};

/** `watch` gives handlers in the place of others. */
export function work(place: Place, watch: (handlers: Handlers) => Handlers): Work {
  const { handlers, ...others } = operations(place);
  // Compiled code is a seventh of what an idle sandbox takes; it is made again, function by function, at the next call.
  const calls = new Calls(watch(handlers), rest(Bun.shrink));
  return { ...others, calls, read: (message) => ToSandboxd.parse(message) };
}
