import type { NamedValue } from "./secret-forms.ts";
import { hostMasker, secretMasker } from "./secret-masker.ts";

const MAX_KNOWN = 32;

/** The masker of these secrets. Making one takes long and much memory where values are: those that were used last are shared. */
export const maskerOf = remembered(secretMasker);

/** The same for the names of hosts. */
export const hostMaskerOf = remembered(hostMasker);

/** Remembers what was made by names and values; the one that was used last is the last. */
function remembered<Made>(make: (values: readonly NamedValue[]) => Made): (values: readonly NamedValue[]) => Made {
  const known = new Map<string, Made>();
  return (values) => {
    const key = JSON.stringify(values.map(({ name, value }) => [name, value]));
    const made = known.get(key) ?? make(values);
    known.delete(key);
    known.set(key, made);
    for (const oldest of known.keys()) if (known.size > MAX_KNOWN) known.delete(oldest);
    return made;
  };
}
