/** What there is of an installation on a machine, by kind of thing, but for what its next server uses. */
export type Leftovers = Readonly<Record<string, readonly unknown[]>>;

/** Those kinds of which there is something that was not there before. */
export const newIn = (left: Leftovers, before: Leftovers): readonly unknown[] =>
  Object.entries(left).flatMap(([kind, things]) => {
    const made = things.filter((thing) => !before[kind]?.includes(thing));
    return made.length > 0 ? [[kind, made]] : [];
  });

/** Those kinds of which there is something. */
export const thingsIn = (left: Leftovers): readonly unknown[] =>
  Object.entries(left).filter(([, things]) => things.length > 0);
