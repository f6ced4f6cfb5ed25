import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * For one of several things that go when they are done with: when it leaves with the focus in it, a neighbour's first
 * button has it then, else the main part of the page. Whoever uses the keyboard stays where they were.
 */
export function useFocusOnLeave<Kind extends HTMLElement>(): RefObject<Kind | null> {
  const place = useRef<Kind>(null);
  useLayoutEffect(() => {
    const element = place.current;
    return () => {
      if (element?.contains(document.activeElement) !== true) return;
      const neighbour = element.nextElementSibling ?? element.previousElementSibling;
      (neighbour?.querySelector<HTMLElement>("button, textarea") ?? document.getElementById("main"))?.focus();
    };
  }, []);
  return place;
}
