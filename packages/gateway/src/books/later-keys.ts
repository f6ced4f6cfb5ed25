import type { Keys } from "../ports/keys.ts";
import type { Later } from "./later.ts";

const NAMES: Readonly<Record<keyof Keys, true>> = {
  find: true,
  create: true,
  adopt: true,
  get: true,
  list: true,
  change: true,
  rotate: true,
  revoke: true,
  owner: true,
  owners: true,
  saveOwner: true,
};

type Work = (...given: readonly never[]) => Promise<unknown>;

/** The keys of what is made later; the first question makes it. */
export function laterKeys(source: Later<{ readonly keys: Keys }>): Keys {
  const ask =
    (name: keyof Keys): Work =>
    (...given) => {
      const made = source.now();
      if (made) return (made.keys[name] as Work)(...given);
      return source.get().then(({ keys }) => (keys[name] as Work)(...given));
    };
  return Object.fromEntries(Object.keys(NAMES).map((name) => [name, ask(name as keyof Keys)])) as Keys;
}
