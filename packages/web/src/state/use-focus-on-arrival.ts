import { useEffect, useRef } from "react";

/** Whoever comes to another place by a key, or from what is gone now, goes on in its main part, not at the top of the page. */
export function useFocusOnArrival(path: string): void {
  const place = useRef(path);
  useEffect(() => {
    if (place.current === path) return;
    place.current = path;
    if (document.activeElement === document.body) document.getElementById("main")?.focus();
  }, [path]);
}
