import type { ReactNode } from "react";

/** An empty place: one sentence that teaches the next step, and perhaps its button. */
export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className="flex flex-col items-start gap-2 p-4 text-ink-2">{children}</div>;
}

/** A failure in the error's own words, with what can be done. */
export function Failure({ error, children }: { readonly error: unknown; readonly children?: ReactNode }) {
  return (
    <div role="alert" className="flex flex-col items-start gap-2 p-4">
      <p className="text-bad">{error instanceof Error ? error.message : String(error)}</p>
      {children}
    </div>
  );
}
