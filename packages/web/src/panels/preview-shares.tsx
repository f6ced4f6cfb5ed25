import { type Share, SHARE_HOURS } from "@handrail/protocol/preview-routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, Share2, X } from "lucide-react";
import { useRef, useState } from "react";
import { Button, IconButton } from "../components/button.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Choices } from "../components/field.tsx";
import { sharesQuery } from "../state/preview-queries.ts";
import { focusList } from "../components/focus-list.ts";
import { formatExact, plural } from "../state/format.ts";
import { copyText } from "../state/copy-text.ts";
import { useServices } from "../state/services.ts";
import { report, showToast } from "../state/toasts.ts";
import { useAction } from "../state/use-action.ts";
import { useNow } from "../state/use-now.ts";

/** The links that others were given; nothing where there are none. */
export function PreviewShares({ conversationId }: { readonly conversationId: string }) {
  const { client } = useServices();
  const { shares } = useQuery(sharesQuery(client, conversationId)).data ?? { shares: [] };
  const now = useNow(10_000);
  const alive = shares.filter(({ expiresAt }) => expiresAt > now);
  if (alive.length === 0) return null;
  return (
    <section aria-labelledby="shares-title" className="py-3">
      <h2 id="shares-title" className="px-3 pb-1 font-semibold">
        Shared
      </h2>
      <ul>
        {alive.map((share) => (
          <ShareRow key={share.shareId} conversationId={conversationId} share={share} />
        ))}
      </ul>
    </section>
  );
}

type ShareRowProps = { readonly conversationId: string; readonly share: Share };

function ShareRow({ conversationId, share: { shareId, port, url, expiresAt } }: ShareRowProps) {
  const { client } = useServices();
  const queries = useQueryClient();
  const row = useRef<HTMLLIElement>(null);
  const end = useAction(async () => {
    await client.endShare({ params: { id: conversationId, shareId } });
    focusList(row.current);
    await queries.invalidateQueries({ queryKey: ["shares", conversationId] });
    showToast("The link no longer works.");
  });
  return (
    <li ref={row} aria-busy={end.busy} className="flex min-h-11 items-center gap-2 px-3 aria-busy:opacity-60">
      <span className="font-mono tabular-nums">{port}</span>
      <span className="min-w-0 flex-1 truncate text-ink-2">{untilOf(expiresAt)}</span>
      <IconButton
        label={`Copy the link to port ${port}, ${untilOf(expiresAt)}`}
        icon={Copy}
        onClick={() => report(copyLink(url))}
      />
      <IconButton
        label={`Stop sharing port ${port}, ${untilOf(expiresAt)}`}
        icon={X}
        disabled={end.busy}
        onClick={end.start}
      />
    </li>
  );
}

/** What tells two shares of one port apart. */
const untilOf = (expiresAt: number) => `until ${formatExact(expiresAt)}`;

const HOURS = [1, SHARE_HOURS.usual, 24, SHARE_HOURS.most].map((hours) => ({
  value: String(hours),
  label: hours < 24 ? plural(hours, "hour") : plural(hours / 24, "day"),
}));

type ShareDialogProps = {
  readonly conversationId: string;
  readonly port: number;
  readonly onClose: () => void;
};

/** Asks for how long, shares, and copies the link. */
export function ShareDialog({ conversationId, port, onClose }: ShareDialogProps) {
  const { client } = useServices();
  const queries = useQueryClient();
  const [hours, setHours] = useState(String(SHARE_HOURS.usual));
  const share = useMutation({
    mutationFn: () => client.sharePreview({ params: { id: conversationId }, body: { port, hours: Number(hours) } }),
    onSuccess: async ({ url }) => {
      await queries.invalidateQueries({ queryKey: ["shares", conversationId] });
      onClose();
      report(copyLink(url));
    },
  });
  return (
    <Dialog title={`Share port ${port}`} open onClose={onClose}>
      <div className="flex flex-col gap-4">
        <p className="text-ink-2">
          Whoever has the link sees what the program shows and can use it, without signing in. You can end it at any
          time.
        </p>
        <Choices label="The link works for" value={hours} options={HOURS} onValue={setHours} />
        {share.error !== null && (
          <p role="alert" className="text-bad">
            {share.error.message}
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" icon={Share2} disabled={share.isPending} onClick={() => share.mutate()}>
            {share.isPending ? "Sharing" : "Share and copy the link"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

const copyLink = (url: string): Promise<void> =>
  copyText(url, "The link is copied.", `The browser does not let this page copy. The link is ${url}`);
