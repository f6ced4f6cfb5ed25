import { TriangleAlert } from "lucide-react";
import { plural } from "../state/format.ts";
import type { Leftover } from "../state/leftovers.ts";

const SHOWN = 5;

/** Names what a build or a test run left behind, before it goes out with the result. */
export function LeftoverWarning({ found }: { readonly found: readonly Leftover[] }) {
  const more = found.slice(SHOWN).reduce((sum, { files }) => sum + files, 0);
  return (
    <section aria-labelledby="leftovers" className="rounded-ui border border-warn bg-warn-soft p-3">
      <h3 id="leftovers" className="flex items-center gap-1.5 font-semibold text-warn">
        <TriangleAlert size={14} aria-hidden className="shrink-0" />
        Builds or test runs left these behind
      </h3>
      <ul className="my-1 font-mono text-small">
        {found.slice(0, SHOWN).map(({ path, files }) => (
          <li key={path} className="[overflow-wrap:anywhere]">
            {path}
            {path.endsWith("/") && <span className="font-sans text-ink-2"> {plural(files, "file")}</span>}
          </li>
        ))}
        {more > 0 && <li className="font-sans text-ink-2">and {plural(more, "more file", "more files")}</li>}
      </ul>
      <p>They are part of the result. Ask the agent to remove them or to ignore them in git, or go on with them.</p>
    </section>
  );
}
