import { useSyncExternalStore } from "react";

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (reader) => {
      const list = matchMedia(query);
      list.addEventListener("change", reader);
      return () => list.removeEventListener("change", reader);
    },
    () => matchMedia(query).matches,
  );
}

/** Whether there is room for one zone only. */
export const usePhone = () => useMedia("(max-width: 767px)");
