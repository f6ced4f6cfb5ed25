import { OPERATIONS, type OperationName } from "@handrail/protocol/sandboxd/operations";
import type { CallContext, Handlers } from "./handlers.ts";
import { Late } from "./late.ts";

type GroupOf<Name extends string> = Name extends `${infer Group}.${string}` ? Group : never;
type Group = GroupOf<OperationName>;

/** How the code of operations is loaded, by the first word of their names. */
export type Loaders = {
  readonly [Wanted in Group]: () => Promise<Pick<Handlers, Extract<OperationName, `${Wanted}.${string}`>>>;
};

export type Later = {
  readonly handlers: Handlers;
  /** Loads what was not called so far. */
  readonly load: () => Promise<void>;
};

/** Handlers whose code is loaded when the first of a group is called: few sandboxes need all of it at once. */
export function later(loaders: Loaders): Later {
  const entries = Object.entries(loaders).map(([group, load]) => [group, new Late<Partial<Handlers>>(load)] as const);
  const groups = Object.fromEntries(entries) as Readonly<Record<Group, Late<Handlers>>>;
  const handlerOf = (name: OperationName) => async (args: unknown, call: CallContext) => {
    const handlers = await groups[name.split(".", 1)[0] as Group].load();
    return (handlers[name] as (args: unknown, call: CallContext) => unknown)(args, call);
  };
  const names = Object.keys(OPERATIONS) as OperationName[];
  return {
    handlers: Object.fromEntries(names.map((name) => [name, handlerOf(name)])) as Handlers,
    load: async () => {
      for (const group of Object.values(groups)) await group.load();
    },
  };
}
