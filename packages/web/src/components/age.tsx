import { formatAge, formatExact } from "../state/format.ts";
import { useNow } from "../state/use-now.ts";

/** A time as how long ago it was; the exact one on hover. `short` leaves out the word "ago". */
export function Age({ at, short = false }: { readonly at: number; readonly short?: boolean }) {
  const now = useNow(20_000);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatExact(at)}>
      {short ? formatAge(at, now).replace(" ago", "") : formatAge(at, now)}
    </time>
  );
}
