import { WifiOff } from "lucide-react";
import { Button } from "../components/button.tsx";
import { formatClock, formatExact } from "../state/format.ts";
import { useConnection, useServices } from "../state/services.ts";
import { useNow } from "../state/use-now.ts";

/** Says that the page is offline, how old what it shows is, and when it tries again. */
export function OfflineBanner() {
  const connection = useConnection();
  return <output className="block">{connection.status === "offline" && <Offline {...connection} />}</output>;
}

/** The counting parts are not read aloud: they would be at each second. */
function Offline({ since, retryAt }: { readonly since: number; readonly retryAt: number }) {
  const services = useServices();
  const now = useNow(1000);
  return (
    <div className="flex items-center gap-2 border-b border-line bg-warn-soft px-4 py-1 text-warn">
      <WifiOff size={14} aria-hidden className="shrink-0" />
      <span className="min-w-0 flex-1">
        Offline. You see how things stood{" "}
        <time aria-hidden dateTime={new Date(since).toISOString()} title={formatExact(since)}>
          {formatClock(Math.max(1000, now - since))} ago
        </time>
        <span className="sr-only">when the connection was lost</span>; the page goes on from there when the server is
        back.
      </span>
      <span aria-hidden className="text-small whitespace-nowrap tabular-nums max-md:hidden">
        {retryAt > now ? `Next try in ${formatClock(retryAt - now + 999)}` : "Trying now"}
      </span>
      <Button tone="quiet" className="text-warn" onClick={() => services.socket().retryNow()}>
        Try now
      </Button>
    </div>
  );
}
