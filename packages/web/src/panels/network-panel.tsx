import { Ban, Check, CircleX } from "lucide-react";
import { useMemo, useState } from "react";
import { classNames } from "../components/class-names.ts";
import { Empty } from "../components/empty.tsx";
import { useVirtualScroll, VirtualList } from "../components/virtual-list.tsx";
import { askedPlace } from "@handrail/protocol/asked-place";
import { formatBytes, formatCount, formatExact, formatTime, plural } from "../state/format.ts";
import { describeOutcome } from "../state/describe-outcome.ts";
import { openAsks } from "../state/open-asks.ts";
import { useNow } from "../state/use-now.ts";
import { type NetworkRow, networkRows, type ShownRequests } from "../state/network-rows.ts";
import type { PanelProps } from "./panel-zone.tsx";

/** What the sandbox did on the network: every outward request, latest first. */
export function NetworkPanel({ view }: PanelProps) {
  const [shown, setShown] = useState<ShownRequests>("all");
  const rows = useMemo(() => networkRows(view.events, shown), [view.events, shown]);
  const totals = view.state?.network;
  const asks = openAsks(view.state, useNow(20_000)).length;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-3 py-1.5 text-small">
        <ShownSelect shown={shown} onShown={setShown} />
        {totals && (
          <span className="text-ink-2 tabular-nums">
            {plural(totals.requests, "request")}, {formatCount(totals.refused)} refused, {formatBytes(totals.bytesUp)}{" "}
            up, {formatBytes(totals.bytesDown)} down
          </span>
        )}
      </div>
      {asks > 0 && (
        <p className="border-b border-line px-3 py-1.5 text-small text-warn">
          {asks === 1 ? "A request waits for your answer" : `${formatCount(asks)} requests wait for your answer`}, in
          the conversation. Requests are listed once they have begun.
        </p>
      )}
      {rows.length > 0 && <RequestTable rows={rows} />}
      {rows.length === 0 && (asks === 0 || shown !== "all") && <Empty>{SHOWN[shown].empty}</Empty>}
    </div>
  );
}

const SHOWN = {
  all: { word: "All", empty: "The sandbox has sent no request yet." },
  refused: { word: "Refused", empty: "No request was refused." },
  failed: { word: "Failed", empty: "No request failed." },
} as const;

type ShownSelectProps = { readonly shown: ShownRequests; readonly onShown: (shown: ShownRequests) => void };

function ShownSelect({ shown, onShown }: ShownSelectProps) {
  return (
    <label className="flex min-h-7 items-center gap-1.5">
      Show
      <select
        className="rounded-ui border border-line-strong bg-raised px-1.5 min-h-7 max-md:min-h-10 max-md:text-[16px]"
        value={shown}
        onChange={({ target }) => onShown(ORDER.find((one) => one === target.value) ?? "all")}
      >
        {ORDER.map((one) => (
          <option key={one} value={one}>
            {SHOWN[one].word}
          </option>
        ))}
      </select>
    </label>
  );
}

const ORDER: readonly ShownRequests[] = ["all", "refused", "failed"];

/** In a narrow panel what was asked for has a line of its own. */
const COLUMNS =
  "grid grid-cols-[auto_auto_minmax(0,1fr)] gap-x-3 px-3 font-mono text-small @3xl:grid-cols-[6.5rem_minmax(0,1fr)_10rem_minmax(0,15rem)]";

function RequestTable({ rows }: { readonly rows: readonly NetworkRow[] }) {
  const scroll = useVirtualScroll({
    count: rows.length,
    estimateSize: () => 46,
    keyOf: (index) => rows[index]?.key,
    overscan: 12,
  });
  return (
    <VirtualList label="Requests" scroll={scroll} className="@container min-h-0 flex-1 overflow-auto">
      {(index) => {
        const row = rows[index];
        return row && <RequestRow row={row} />;
      }}
    </VirtualList>
  );
}

function RequestRow({ row: { request } }: { readonly row: NetworkRow }) {
  const { at, count, bytesUp, bytesDown } = request;
  return (
    <div className={classNames(COLUMNS, "min-h-7 items-baseline border-b border-line py-1")}>
      <time dateTime={new Date(at).toISOString()} title={formatExact(at)} className="text-ink-3">
        {formatTime(at)}
      </time>
      <span className="order-first col-span-3 [overflow-wrap:anywhere] @3xl:order-none @3xl:col-span-1">
        {askedPlace(request)}
        {count !== undefined && <span className="text-ink-3"> × {formatCount(count)}</span>}
      </span>
      <span className="text-ink-2 tabular-nums">
        ↑ {formatBytes(bytesUp)} ↓ {formatBytes(bytesDown)}
      </span>
      <Outcome request={request} />
    </div>
  );
}

const LOOKS = {
  allowed: { icon: Check, word: "Allowed", tone: "text-ink-2" },
  refused: { icon: Ban, word: "Refused", tone: "text-bad" },
  failed: { icon: CircleX, word: "Failed", tone: "text-warn" },
} as const;

function Outcome({ request }: Pick<NetworkRow, "request">) {
  const { outcome, detail } = describeOutcome(request);
  const { icon: Icon, word, tone } = LOOKS[outcome];
  return (
    <span title={request.reason} className="min-w-0 font-sans [overflow-wrap:anywhere]">
      <span className={classNames("font-medium whitespace-nowrap", tone)}>
        <Icon size={12} aria-hidden className="mr-1 inline align-[-1px]" />
        {word}
      </span>{" "}
      <span className="text-ink-2">{detail}</span>
    </span>
  );
}
