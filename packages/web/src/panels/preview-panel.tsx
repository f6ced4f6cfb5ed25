import type { ListeningPort } from "@handrail/protocol/sandboxd/operations";
import { useQuery } from "@tanstack/react-query";
import { ExternalLink, Share2 } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "../components/button.tsx";
import { Empty, Failure } from "../components/empty.tsx";
import { previewsQuery } from "../state/preview-queries.ts";
import { useServices } from "../state/services.ts";
import { showInTab } from "../state/show-in-tab.ts";
import { useAction } from "../state/use-action.ts";
import type { PanelProps } from "./panel-zone.tsx";
import { PreviewShares, ShareDialog } from "./preview-shares.tsx";

/** What programs in the sandbox serve, to open and to share. */
export function PreviewPanel({ conversationId, view }: PanelProps) {
  const { client } = useServices();
  const known = view.live.ports;
  const { error, data } = useQuery(previewsQuery(client, conversationId, known));
  if (error !== null && data === undefined) return <Failure error={error} />;
  if (data?.previews === false) {
    return <Empty>This server has no address for previews. Its operator can set HANDRAIL_PREVIEW_URL.</Empty>;
  }
  const ports = known ?? data?.ports;
  return (
    <div tabIndex={-1} className="min-h-0 flex-1 overflow-auto outline-none">
      {ports === undefined ? (
        <p className="p-4 text-ink-2">Looking for open ports.</p>
      ) : (
        <Ports conversationId={conversationId} ports={ports} />
      )}
      <PreviewShares conversationId={conversationId} />
    </div>
  );
}

type PortsProps = { readonly conversationId: string; readonly ports: readonly ListeningPort[] };

function Ports({ conversationId, ports }: PortsProps) {
  const [sharing, setSharing] = useState<number | null>(null);
  if (ports.length === 0) {
    return (
      <Empty>
        Nothing listens on a port in this sandbox. When a program does, such as a development server, it appears here.
      </Empty>
    );
  }
  return (
    <>
      <ul aria-label="Ports">
        {ports.map((port) => (
          <PortRow
            key={port.port}
            conversationId={conversationId}
            listening={port}
            onShare={() => setSharing(port.port)}
          />
        ))}
      </ul>
      {sharing !== null && (
        <ShareDialog conversationId={conversationId} port={sharing} onClose={() => setSharing(null)} />
      )}
    </>
  );
}

type PortRowProps = {
  readonly conversationId: string;
  readonly listening: ListeningPort;
  readonly onShare: () => void;
};

function PortRow({ conversationId, listening: { port, program }, onShare }: PortRowProps) {
  const { client } = useServices();
  const open = useAction(() => showInTab(() => client.openPreview({ params: { id: conversationId }, body: { port } })));
  return (
    <li className="flex min-h-11 items-center gap-2 border-b border-line px-3">
      <span className="font-mono tabular-nums">{port}</span>
      <span className="min-w-0 flex-1 truncate text-ink-2">{program}</span>
      <Button icon={ExternalLink} aria-label={`Open port ${port}`} disabled={open.busy} onClick={open.start}>
        {open.busy ? "Opening" : "Open"}
      </Button>
      <IconButton label={`Share port ${port}`} icon={Share2} onClick={onShare} />
    </li>
  );
}
