import { formatAge, formatExact } from "../state/format.ts";
import { useNow } from "../state/use-now.ts";

/** A time as how long ago it was; the exact one on hover. */
export function Age({ at }: { readonly at: number }) {
  const now = useNow(20_000);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatExact(at)}>
      {formatAge(at, now)}
    </time>
  );
}
