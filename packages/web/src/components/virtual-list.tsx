import { useVirtualizer, type Virtualizer, type VirtualizerOptions } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, type UIEventHandler, useRef } from "react";
import { classNames } from "./class-names.ts";

type Options = VirtualizerOptions<HTMLElement, Element>;
type ListOptions = Pick<Options, "count" | "estimateSize" | "overscan"> &
  Partial<Pick<Options, "paddingStart" | "paddingEnd" | "anchorTo" | "followOnAppend" | "scrollEndThreshold">> & {
    /** Names a row for as long as it is there; undefined: by its index. */
    readonly keyOf: (index: number) => string | number | undefined;
  };

/** What scrolls a list and knows which of its rows are in sight. */
export type VirtualScroll = {
  readonly virtual: Virtualizer<HTMLElement, Element>;
  readonly scroller: RefObject<HTMLElement | null>;
};

/** For one `VirtualList`. Rows are measured; `estimateSize` is their height in pixels before that. */
export function useVirtualScroll({ keyOf, ...options }: ListOptions): VirtualScroll {
  const scroller = useRef<HTMLElement>(null);
  // The React compiler is not used here, so nothing memoizes what the virtualizer gives.
  // oxlint-disable-next-line react/incompatible-library
  const virtual = useVirtualizer({
    ...options,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => keyOf(index) ?? index,
  });
  return { virtual, scroller };
}

type VirtualListProps = {
  readonly label: string;
  readonly scroll: VirtualScroll;
  readonly onScrollCapture?: UIEventHandler<HTMLElement>;
  readonly className?: string;
  /** Of what holds the rows. */
  readonly rowsClassName?: string;
  /** Stands before the rows, and scrolls with them. */
  readonly before?: ReactNode;
  readonly children: (index: number) => ReactNode;
};

/** A long list of which only the rows in sight are drawn. It is reached by keyboard, and says how long it is. */
export function VirtualList({ label, scroll, children, before, ...props }: VirtualListProps) {
  const { virtual, scroller } = scroll;
  const items = virtual.getVirtualItems();
  return (
    <section
      ref={scroller}
      onScrollCapture={props.onScrollCapture}
      // A scroller must be reachable by keyboard (WCAG 2.1.1).
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={label}
      className={classNames("inset-focus", props.className)}
    >
      {before}
      <div className={classNames("relative", props.rowsClassName)} style={{ height: virtual.getTotalSize() }}>
        <ul className="absolute inset-x-0 top-0" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map(({ key, index }) => (
            <li
              key={key}
              data-index={index}
              ref={virtual.measureElement}
              aria-setsize={virtual.options.count}
              aria-posinset={index + 1}
            >
              {children(index)}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
