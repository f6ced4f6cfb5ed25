import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button } from "../components/button.tsx";
import type { Row } from "../state/transcript-rows.ts";
import { useShortcuts } from "../state/use-shortcuts.ts";
import { nextCallRow } from "../state/next-call-row.ts";
import { RowView } from "./row-view.tsx";

/** How near the end counts as at the end, in pixels. */
const AT_END = 64;

/** The rows of a conversation. Follows the end while the reader is there; tells of new rows otherwise. */
export function TranscriptView({ rows }: { readonly rows: readonly Row[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => ESTIMATES[rows[index]?.kind ?? "call"],
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 8,
    paddingStart: 16,
    paddingEnd: 24,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: AT_END,
  });
  const { atEnd, fresh, onScroll } = useUnseen(rows.length, () => virtual.isAtEnd(AT_END));
  useCallKeys(rows, (index) => virtual.scrollToIndex(index, { align: "auto" }));
  const items = virtual.getVirtualItems();
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label="Transcript"
        className="inset-focus h-full overflow-y-auto overscroll-contain [overflow-anchor:none]"
      >
        <div role="list" className="relative mx-auto w-full max-w-[46rem]" style={{ height: virtual.getTotalSize() }}>
          <div className="absolute inset-x-0 top-0 px-4" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
            {items.map((item) => {
              const row = rows[item.index];
              return (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={virtual.measureElement}
                  role="listitem"
                  className="pb-2"
                >
                  {row && <RowView row={row} />}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {!atEnd && (
        <div className="absolute bottom-2 left-1/2 -translate-x-1/2">
          <Button icon={ArrowDown} className="rounded-full shadow-md" onClick={() => virtual.scrollToEnd()}>
            {fresh > 0 ? `${fresh} new` : "To the end"}
          </Button>
        </div>
      )}
    </div>
  );
}

const ESTIMATES: Readonly<Record<Row["kind"], number>> = {
  message: 80,
  text: 96,
  reasoning: 32,
  call: 36,
  calls: 36,
  step: 36,
  marker: 28,
};

/** Whether the reader is at the end, and how many rows came since they were. */
function useUnseen(count: number, isAtEnd: () => boolean) {
  const [seen, setSeen] = useState(count);
  const [atEnd, setAtEnd] = useState(true);
  const onScroll = () => {
    const now = isAtEnd();
    setAtEnd(now);
    if (now) setSeen(count);
  };
  useEffect(() => {
    if (atEnd) setSeen(count);
  }, [atEnd, count]);
  return { atEnd, fresh: Math.max(0, count - seen), onScroll };
}

function useCallKeys(rows: readonly Row[], show: (index: number) => void): void {
  const move = (step: 1 | -1) => {
    const focused = document.activeElement?.getAttribute("data-row") ?? null;
    const index = nextCallRow(rows, focused, step);
    const row = index === null ? undefined : rows[index];
    if (index === null || row === undefined) return;
    show(index);
    const focus = () => document.querySelector<HTMLElement>(`[data-row="${CSS.escape(row.key)}"]`)?.focus();
    requestAnimationFrame(() => requestAnimationFrame(focus));
  };
  useShortcuts({ next: () => move(1), previous: () => move(-1) });
}
