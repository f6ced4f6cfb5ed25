import { useState } from "react";
import { type DiffLine, parseHunks } from "../state/parse-hunks.ts";
import { Button } from "./button.tsx";
import { classNames } from "./class-names.ts";

const LOOKS: Readonly<Record<DiffLine["kind"], string>> = {
  added: "bg-ok-soft",
  removed: "bg-bad-soft",
  context: "",
  hunk: "text-ink-3 bg-sunken",
};
const MARKS: Readonly<Record<DiffLine["kind"], string>> = { added: "+", removed: "−", context: " ", hunk: "" };

const FIRST_LINES = 60;

/** Hunks of a unified diff, the first lines of them until more is asked for. */
export function DiffLines({ hunks }: { readonly hunks: string }) {
  const [all, setAll] = useState(false);
  const lines = parseHunks(hunks);
  const shown = all ? lines : lines.slice(0, FIRST_LINES);
  return (
    // What scrolls sideways must be reachable by keyboard (WCAG 2.1.1). A section would be a landmark, one for each edit.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role
    <div role="group" aria-label="Difference" tabIndex={0} className="inset-focus overflow-x-auto">
      <pre className="min-w-max font-mono text-small">
        {shown.map((line, index) => (
          <div key={index} className={classNames("flex px-2", LOOKS[line.kind])}>
            <span className="w-4 shrink-0 text-ink-2 select-none">{MARKS[line.kind]}</span>
            <span>{line.text === "" ? " " : line.text}</span>
          </div>
        ))}
      </pre>
      {shown.length < lines.length && (
        <Button tone="quiet" onClick={() => setAll(true)}>
          Show {lines.length - shown.length} more lines
        </Button>
      )}
    </div>
  );
}
