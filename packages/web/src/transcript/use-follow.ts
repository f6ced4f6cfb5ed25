import type { Virtualizer } from "@tanstack/react-virtual";
import { type UIEvent, useLayoutEffect, useRef, useState } from "react";

/** How near the end counts as at the end, in pixels. */
export const AT_END = 64;

/**
 * Keeps the reader at the end of a growing list for as long as they do not scroll up. `fresh` is how many rows have
 * come since they left the end. `onScroll` is for the capture phase: it must know before the list draws anew.
 */
export function useFollow(virtual: Virtualizer<HTMLElement, Element>, count: number) {
  const [leftAt, setLeftAt] = useState<number | null>(null);
  const following = useRef(true);
  const lastTop = useRef(0);
  const size = virtual.getTotalSize();
  useLayoutEffect(() => {
    if (following.current) virtual.scrollToEnd();
    // The count and the size are what it follows.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [virtual, count, size]);
  const follow = (next: boolean) => {
    following.current = next;
    setLeftAt((before) => (next ? null : (before ?? count)));
  };
  const onScroll = (event: UIEvent<HTMLElement>) => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
    const up = scrollTop < lastTop.current - 1;
    lastTop.current = scrollTop;
    if (scrollHeight - scrollTop - clientHeight <= AT_END) follow(true);
    else if (up) follow(false);
  };
  const toEnd = () => {
    follow(true);
    virtual.scrollToEnd();
  };
  return { atEnd: leftAt === null, fresh: Math.max(0, count - (leftAt ?? count)), onScroll, toEnd };
}
