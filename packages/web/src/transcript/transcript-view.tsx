import { ArrowDown } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../components/button.tsx";
import { useVirtualScroll, VirtualList, type VirtualScroll } from "../components/virtual-list.tsx";
import { nextCallRow } from "../state/next-call-row.ts";
import type { Row } from "../state/transcript-rows.ts";
import { useShortcuts } from "../state/use-shortcuts.ts";
import { RowView } from "./row-view.tsx";
import { AT_END, useFollow } from "./use-follow.ts";

type Rows = { readonly rows: readonly Row[] };

/** The rows of a conversation. Follows the end while the reader is there; tells of new rows otherwise. */
export function TranscriptView({ rows, empty }: Rows & { readonly empty: ReactNode }) {
  const scroll = useRows(rows);
  const { virtual } = scroll;
  const { atEnd, fresh, onScroll, toEnd } = useFollow(virtual, rows.length);
  useCallKeys(rows, (index) => virtual.scrollToIndex(index, { align: "auto" }));
  return (
    <div className="relative min-h-0 flex-1">
      <VirtualList
        label="Transcript"
        scroll={scroll}
        onScrollCapture={onScroll}
        className="h-full overflow-y-auto overscroll-contain [overflow-anchor:none]"
        rowsClassName="mx-auto w-full max-w-[46rem]"
        before={rows.length === 0 && empty}
      >
        {(index) => {
          const row = rows[index];
          return <div className="px-4 pb-2">{row && <RowView row={row} />}</div>;
        }}
      </VirtualList>
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

function useRows(rows: readonly Row[]): VirtualScroll {
  return useVirtualScroll({
    count: rows.length,
    estimateSize: (index) => ESTIMATES[rows[index]?.kind ?? "call"],
    keyOf: (index) => rows[index]?.key,
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
