import type { StoredEvent } from "@handrail/protocol/events";
import { Copy } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { IconButton } from "../components/button.tsx";
import { Empty } from "../components/empty.tsx";
import { INPUT } from "../components/field.tsx";
import { useVirtualScroll, VirtualList } from "../components/virtual-list.tsx";
import { filterEvents } from "../state/filter-events.ts";
import { formatExact, formatMoment } from "../state/format.ts";
import { copyText } from "../state/copy-text.ts";
import { report } from "../state/toasts.ts";
import type { PanelProps } from "./panel-zone.tsx";

/** The raw events, as they are stored. */
export function LogPanel({ view }: PanelProps) {
  const [filter, setFilter] = useState("");
  const wanted = useDeferredValue(filter);
  const events = useMemo(() => filterEvents(view.events, wanted), [view.events, wanted]);
  const copyAll = () =>
    report(copy(events.map((event) => JSON.stringify(event)).join("\n"), `${events.length} events`));
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex items-center gap-2 border-b border-line px-2 py-1.5">
        <input
          type="search"
          aria-label="Filter events"
          placeholder="Filter by type or text"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          className={INPUT}
        />
        <span className="shrink-0 text-small text-ink-3 tabular-nums">
          {events.length === view.events.length ? events.length : `${events.length} of ${view.events.length}`}
        </span>
        <IconButton label="Copy these events as JSON Lines" icon={Copy} onClick={copyAll} />
      </div>
      {events.length === 0 ? (
        <Empty>No event matches. Try a type such as call.ended.</Empty>
      ) : (
        <EventList events={events} />
      )}
    </div>
  );
}

function EventList({ events }: { readonly events: readonly StoredEvent[] }) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const scroll = useVirtualScroll({
    count: events.length,
    estimateSize: () => 28,
    keyOf: (index) => events[index]?.seq,
    overscan: 12,
  });
  const toggle = (seq: number) =>
    setOpened((before) => new Set(before.has(seq) ? [...before].filter((other) => other !== seq) : [...before, seq]));
  return (
    <VirtualList label="Events" scroll={scroll} className="min-h-0 flex-1 overflow-auto">
      {(index) => {
        const event = events[index];
        return event && <EventLine stored={event} open={opened.has(event.seq)} onToggle={() => toggle(event.seq)} />;
      }}
    </VirtualList>
  );
}

type LineProps = { readonly stored: StoredEvent; readonly open: boolean; readonly onToggle: () => void };

function EventLine({ stored, open, onToggle }: LineProps) {
  const whole = open ? JSON.stringify(stored, null, 2) : "";
  return (
    <div className="border-b border-line">
      <button
        type="button"
        aria-expanded={open}
        onClick={onToggle}
        className="inset-focus flex min-h-7 w-full items-center gap-3 px-3 text-left font-mono text-small hover:bg-hover"
      >
        <span className="w-10 shrink-0 text-right text-ink-3 tabular-nums">{stored.seq}</span>
        <time
          dateTime={new Date(stored.at).toISOString()}
          title={formatExact(stored.at)}
          className="shrink-0 text-ink-3"
        >
          {formatMoment(stored.at)}
        </time>
        <span className="truncate">{stored.event.type}</span>
      </button>
      {open && (
        <div className="relative bg-sunken">
          <span className="absolute top-1 right-1">
            <IconButton
              label="Copy this event"
              icon={Copy}
              onClick={() => report(copy(whole, `Event ${stored.seq}`))}
            />
          </span>
          <pre className="overflow-x-auto px-3 py-2 font-mono text-small whitespace-pre-wrap [overflow-wrap:anywhere]">
            {whole}
          </pre>
        </div>
      )}
    </div>
  );
}

const copy = (text: string, what: string): Promise<void> =>
  copyText(text, `${what} copied.`, "The browser does not let this page copy. Open the event and select its text.");
