import { type RefObject, useLayoutEffect, useRef } from "react";

const USABLE = "a, button, textarea";

/**
 * For one of several things that go when they are done with: when it leaves with the focus in it, a neighbour's first
 * control has it then, else the main part of the page. `name` is of one that may come back elsewhere in the same moment,
 * as `data-place`; it has the focus there then. Whoever uses the keyboard stays where they were.
 */
export function useFocusOnLeave<Kind extends HTMLElement>(name?: string): RefObject<Kind | null> {
  const place = useRef<Kind>(null);
  useLayoutEffect(() => {
    const element = place.current;
    return () => {
      if (element?.contains(document.activeElement) !== true) return;
      const neighbour = element.nextElementSibling ?? element.previousElementSibling;
      const next = neighbour?.querySelector<HTMLElement>(USABLE) ?? document.getElementById("main");
      next?.focus();
      if (name !== undefined) requestAnimationFrame(() => backTo(name, next));
    };
  }, [name]);
  return place;
}

/** Where the focus was moved on meanwhile, it stays. */
function backTo(name: string, from: HTMLElement | null): void {
  if (document.activeElement !== from && document.activeElement !== document.body) return;
  const element = document.querySelector(`[data-place="${CSS.escape(name)}"]`);
  element?.querySelector<HTMLElement>(USABLE)?.focus();
}
