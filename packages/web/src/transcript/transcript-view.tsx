import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { type ReactNode, type RefObject, useRef } from "react";
import { Button } from "../components/button.tsx";
import { nextCallRow } from "../state/next-call-row.ts";
import type { Row } from "../state/transcript-rows.ts";
import { useShortcuts } from "../state/use-shortcuts.ts";
import { RowView } from "./row-view.tsx";
import { AT_END, useFollow } from "./use-follow.ts";

type Rows = { readonly rows: readonly Row[] };

/** The rows of a conversation. Follows the end while the reader is there; tells of new rows otherwise. */
export function TranscriptView({ rows, empty }: Rows & { readonly empty: ReactNode }) {
  const scroller = useRef<HTMLElement>(null);
  const virtual = useRows(rows, scroller);
  const { atEnd, fresh, onScroll, toEnd } = useFollow(virtual, rows.length);
  useCallKeys(rows, (index) => virtual.scrollToIndex(index, { align: "auto" }));
  return (
    <div className="relative min-h-0 flex-1">
      <section
        ref={scroller}
        onScrollCapture={onScroll}
        // A scroller must be reachable by keyboard (WCAG 2.1.1).
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label="Transcript"
        className="inset-focus h-full overflow-y-auto overscroll-contain [overflow-anchor:none]"
      >
        {rows.length === 0 && empty}
        <VirtualRows rows={rows} virtual={virtual} />
      </section>
      {!atEnd && (
        <div className="absolute bottom-2 left-1/2 -translate-x-1/2">
          <Button icon={ArrowDown} className="rounded-full shadow-md" onClick={toEnd}>
            {fresh > 0 ? `${fresh} new` : "To the end"}
          </Button>
        </div>
      )}
    </div>
  );
}

type RowVirtualizer = Virtualizer<HTMLElement, Element>;

function VirtualRows({ rows, virtual }: Rows & { readonly virtual: RowVirtualizer }) {
  const items = virtual.getVirtualItems();
  return (
    <div className="relative mx-auto w-full max-w-[46rem]" style={{ height: virtual.getTotalSize() }}>
      <ul className="absolute inset-x-0 top-0 px-4" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
        {items.map((item) => {
          const row = rows[item.index];
          return (
            <li
              key={item.key}
              data-index={item.index}
              ref={virtual.measureElement}
              aria-setsize={rows.length}
              aria-posinset={item.index + 1}
              className="pb-2"
            >
              {row && <RowView row={row} />}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

const ESTIMATES: Readonly<Record<Row["kind"], number>> = {
  message: 80,
  text: 96,
  reasoning: 32,
  call: 42,
  calls: 42,
  retries: 28,
  step: 36,
  marker: 28,
};

function useRows(rows: readonly Row[], scroller: RefObject<HTMLElement | null>): RowVirtualizer {
  // The React compiler is not used here, so nothing memoizes what the virtualizer gives.
  // oxlint-disable-next-line react/incompatible-library
  return useVirtualizer({
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
