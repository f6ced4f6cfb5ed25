import { useConnection } from "./services.ts";
import { useNow } from "./use-now.ts";

/** Whether the server can be reached, as far as the page knows: what it alone can do is refused while it is not. */
export const useOnline = (): boolean => useConnection().status !== "offline";

/**
 * The time up to which the page knows what happens, in Unix milliseconds: now, renewed each second while `active`;
 * while offline the moment at which the connection was lost, so that no clock goes on counting.
 */
export function useKnownNow(active: boolean): number {
  const connection = useConnection();
  const offline = connection.status === "offline";
  const now = useNow(1000, active && !offline);
  return offline ? connection.since : now;
}
