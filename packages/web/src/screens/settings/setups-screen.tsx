import type { KeptSetupRow } from "@handrail/protocol/setup";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Package, Trash2 } from "lucide-react";
import { useRef } from "react";
import { Age } from "../../components/age.tsx";
import { Button, IconButton } from "../../components/button.tsx";
import { Empty, Failure } from "../../components/empty.tsx";
import { focusList } from "../../components/focus-list.ts";
import { Section } from "../../components/section.tsx";
import { formatBytes, formatDuration, plural } from "../../state/format.ts";
import { useServices } from "../../state/services.ts";
import { showToast } from "../../state/toasts.ts";
import { useAction } from "../../state/use-action.ts";

const KEY = ["setups"];

/** What set-ups of repositories have made, kept for later conversations. */
export function SetupsScreen() {
  const { client } = useServices();
  const { data, error } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => client.setups({ signal }),
    refetchInterval: 10_000,
  });
  const list = useRef<HTMLUListElement>(null);
  return (
    <Section title="Kept set-ups">
      <p className="mb-2 text-ink-2">
        A repository’s <code>.handrail/setup.sh</code> runs in a new workspace before the agent acts. What it made is
        kept, so that your next conversation on the repository starts with it.
      </p>
      {error !== null && <Failure error={error} />}
      {data === undefined && error === null && <p className="text-ink-2">Loading the set-ups.</p>}
      {data?.setups.length === 0 && <Empty>Nothing is kept.</Empty>}
      <ul ref={list} aria-label="Kept set-ups" tabIndex={-1} className="flex flex-col outline-none">
        {data?.setups.map((setup) => (
          <SetupRow key={setup.id} setup={setup} />
        ))}
      </ul>
      {(data?.setups.length ?? 0) > 1 && <ForgetAll onForgotten={() => list.current?.focus()} />}
    </Section>
  );
}

function ForgetAll({ onForgotten }: { readonly onForgotten: () => void }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const { busy, start } = useAction(async () => {
    const { forgotten } = await client.forgetSetups({});
    onForgotten();
    await queries.invalidateQueries({ queryKey: KEY });
    showToast(`${plural(forgotten, "kept set-up")} forgotten.`);
  });
  return (
    <Button className="mt-3 self-start" disabled={busy} onClick={start}>
      {busy ? "Forgetting" : "Forget all"}
    </Button>
  );
}

function SetupRow({ setup }: { readonly setup: KeptSetupRow }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const row = useRef<HTMLLIElement>(null);
  const { id, source, command, usedAt, ranMs, files, bytes } = setup;
  const forget = useAction(async () => {
    await client.forgetSetup({ params: { id } });
    focusList(row.current);
    await queries.invalidateQueries({ queryKey: KEY });
    showToast(`The next conversation on ${source} is set up from nothing.`);
  });
  return (
    <li
      ref={row}
      aria-busy={forget.busy}
      className="flex items-center gap-3 border-t border-line py-2 aria-busy:opacity-60"
    >
      <Package size={14} aria-hidden className="shrink-0 text-ink-3" />
      <div className="min-w-0 flex-1">
        <p className="[overflow-wrap:anywhere] font-mono">{source}</p>
        <p className="[overflow-wrap:anywhere] text-small text-ink-2">
          {command} · ran {formatDuration(ranMs)} · {plural(files, "file")}, {formatBytes(bytes)} · used{" "}
          <Age at={usedAt} />
        </p>
      </div>
      <IconButton
        label={`Forget the set-up of ${source}`}
        icon={Trash2}
        disabled={forget.busy}
        onClick={forget.start}
      />
    </li>
  );
}
