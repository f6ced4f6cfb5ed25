import { useEffect, useRef } from "react";

/** Whoever comes to another place by a key, or from what is gone now, goes on in its main part, not at the top of the page. */
export function useFocusOnArrival(path: string): void {
  const place = useRef(path);
  useEffect(() => {
    if (place.current === path) return;
    place.current = path;
    arrive();
    // A dialog that was left with the place is gone a little later.
    const frame = requestAnimationFrame(() => requestAnimationFrame(arrive));
    return () => cancelAnimationFrame(frame);
  }, [path]);
}

function arrive(): void {
  if (document.activeElement === document.body) document.getElementById("main")?.focus();
}
