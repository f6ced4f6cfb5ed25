import { Button } from "../components/button.tsx";
import { Failure } from "../components/empty.tsx";

/** Stands in the place of a part of the page that failed, or whose program could not be loaded. */
export function BrokenPart({ error }: { readonly error: unknown }) {
  const why = error instanceof Error ? error.message : String(error);
  return (
    <Failure error={`This part of the page cannot be shown. ${why}`}>
      <p className="text-ink-2">
        If the server was stopped or replaced meanwhile, load the page again once it runs. Messages that are not sent
        stay in this browser.
      </p>
      <Button onClick={() => location.reload()}>Load the page again</Button>
    </Failure>
  );
}
