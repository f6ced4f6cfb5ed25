import type { StoredEvent } from "@handrail/protocol/events";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Copy } from "lucide-react";
import { useDeferredValue, useMemo, useRef, useState } from "react";
import { IconButton } from "../components/button.tsx";
import { Empty } from "../components/empty.tsx";
import { INPUT } from "../components/field.tsx";
import { filterEvents } from "../state/filter-events.ts";
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
  const scroller = useRef<HTMLElement>(null);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  // The React compiler is not used here, so nothing memoizes what the virtualizer gives.
  // oxlint-disable-next-line react/incompatible-library
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 28,
    getItemKey: (index) => events[index]?.seq ?? index,
    overscan: 12,
  });
  const toggle = (seq: number) =>
    setOpened((before) => new Set(before.has(seq) ? [...before].filter((other) => other !== seq) : [...before, seq]));
  const items = virtual.getVirtualItems();
  return (
    <section
      ref={scroller}
      // A scroller must be reachable by keyboard (WCAG 2.1.1).
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label="Events"
      className="inset-focus min-h-0 flex-1 overflow-auto"
    >
      <div className="relative" style={{ height: virtual.getTotalSize() }}>
        <div className="absolute inset-x-0 top-0" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map((item) => {
            const event = events[item.index];
            return (
              <div key={item.key} data-index={item.index} ref={virtual.measureElement}>
                {event && <EventLine stored={event} open={opened.has(event.seq)} onToggle={() => toggle(event.seq)} />}
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

type LineProps = { readonly stored: StoredEvent; readonly open: boolean; readonly onToggle: () => void };

function EventLine({ stored, open, onToggle }: LineProps) {
  const time = new Date(stored.at).toISOString().slice(11, 23);
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
        <span className="shrink-0 text-ink-3">{time}</span>
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
