import { useEffect } from "react";

/** Names the browser's tab after the place that is shown, as long as it is; null while its name is not known. */
export function useTitle(name: string | null): void {
  useEffect(() => {
    if (name === null) return;
    document.title = `${name} · Handrail`;
    return () => {
      document.title = "Handrail";
    };
  }, [name]);
}
