import { WifiOff } from "lucide-react";
import { Button } from "../components/button.tsx";
import { formatDuration } from "../state/format.ts";
import { useConnection, useServices } from "../state/services.ts";
import { useNow } from "../state/use-now.ts";

/** Says that the page is offline, how old what it shows is, and when it tries again. */
export function OfflineBanner() {
  const connection = useConnection();
  const services = useServices();
  const offline = connection.status === "offline";
  const now = useNow(1000, offline);
  return (
    <output className="block">
      {offline && (
        <div className="flex items-center gap-2 border-b border-line bg-warn-soft px-4 py-1 text-warn">
          <WifiOff size={14} aria-hidden />
          <span className="min-w-0 flex-1">
            Offline. This page is as of{" "}
            <span aria-hidden>{formatDuration(Math.max(1000, wholeSeconds(now - connection.since)))} ago</span>; it goes
            on from there when the server is back.
          </span>
          <Button tone="quiet" onClick={() => services.socket().retryNow()}>
            Try now
          </Button>
        </div>
      )}
    </output>
  );
}

const wholeSeconds = (durationMs: number) => Math.floor(durationMs / 1000) * 1000;
