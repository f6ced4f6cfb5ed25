import type { AnswerOf } from "@handrail/client/create-client";
import type { FileChange } from "@handrail/protocol/changes";
import type { CheckpointRow } from "@handrail/protocol/checkpoints";
import type { Routes } from "@handrail/protocol/routes";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ChangeLetter } from "../components/change-letter.tsx";
import { Empty, Failure } from "../components/empty.tsx";
import { Field, INPUT } from "../components/field.tsx";
import { FileDifference } from "../panels/file-difference.tsx";
import { checkpointName } from "../state/checkpoint-name.ts";
import { checkpointChangesQuery, checkpointFileQuery } from "../state/checkpoint-queries.ts";
import { plural } from "../state/format.ts";
import { useServices } from "../state/services.ts";

type CompareProps = { readonly id: string; readonly rows: readonly CheckpointRow[] };

/** What differs between any two checkpoints, by file. Not shown where there are not two. */
export function CompareCheckpoints({ id, rows }: CompareProps) {
  const [open, setOpen] = useState(false);
  if (rows.length < 2) return null;
  return (
    <details className="rounded-ui border border-line p-3" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit font-medium">Compare two</summary>
      {open && <Comparison id={id} rows={rows} />}
    </details>
  );
}

function Comparison({ id, rows }: CompareProps) {
  const [from, setFrom] = useState(rows[1]?.checkpointId ?? "");
  const [to, setTo] = useState(rows[0]?.checkpointId ?? "");
  return (
    <div className="mt-2 flex flex-col gap-2">
      <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
        <Which label="From" rows={rows} chosen={from} onChosen={setFrom} />
        <Which label="To" rows={rows} chosen={to} onChosen={setTo} />
      </div>
      <Differences id={id} from={from} to={to} />
    </div>
  );
}

type WhichProps = {
  readonly label: string;
  readonly rows: readonly CheckpointRow[];
  readonly chosen: string;
  readonly onChosen: (checkpointId: string) => void;
};

function Which({ label, rows, chosen, onChosen }: WhichProps) {
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} className={INPUT} value={chosen} onChange={(event) => onChosen(event.target.value)}>
          {rows.map((row) => (
            <option key={row.checkpointId} value={row.checkpointId}>
              {checkpointName(row)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

type DifferencesProps = { readonly id: string; readonly from: string; readonly to: string };

function Differences({ id, from, to }: DifferencesProps) {
  const { client } = useServices();
  const [git, setGit] = useState(false);
  const { error, data } = useQuery(checkpointChangesQuery(client, id, { from, to }, git));
  if (error !== null) return <Failure error={error} />;
  if (data === undefined) return <p className="text-ink-2">Comparing the files.</p>;
  return (
    <>
      {(git || data.leftOut > 0) && (
        <label className="flex min-h-7 items-center gap-1.5 text-ink-2 max-md:min-h-10">
          <input type="checkbox" checked={git} onChange={(event) => setGit(event.target.checked)} />
          Also files of git’s own, in .git{!git && `: ${data.leftOut}`}
        </label>
      )}
      {data.changes.length === 0 ? (
        <Empty>No file differs between the two.</Empty>
      ) : (
        <DifferingFiles id={id} from={from} to={to} found={data} />
      )}
    </>
  );
}

type FoundProps = DifferencesProps & { readonly found: AnswerOf<Routes["checkpointChanges"]> };

function DifferingFiles({ id, from, to, found }: FoundProps) {
  return (
    <>
      <p className="text-ink-2">
        {plural(found.changes.length, "file")} {found.changes.length === 1 ? "differs" : "differ"}
        {found.more && ", and more than are listed"}
      </p>
      <ul
        // A scroller must be reachable by keyboard (WCAG 2.1.1).
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label="Files that differ"
        className="inset-focus max-h-[45dvh] overflow-auto"
      >
        {found.changes.map((change) => (
          <ComparedFile key={`${from} ${to} ${change.path}`} id={id} from={from} to={to} change={change} />
        ))}
      </ul>
    </>
  );
}

type ComparedFileProps = DifferencesProps & { readonly change: FileChange };

/** A file that differs; its lines are read when it is opened. */
function ComparedFile({ id, from, to, change }: ComparedFileProps) {
  const [open, setOpen] = useState(false);
  const { client } = useServices();
  const file = useQuery({ ...checkpointFileQuery(client, id, { from, to, path: change.path }), enabled: open });
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="w-fit py-0.5 font-mono text-small [overflow-wrap:anywhere]">
          <ChangeLetter status={change.status} /> {change.path}
        </summary>
        {open && <FileDifference change={change} file={file} layout="unified" />}
      </details>
    </li>
  );
}
