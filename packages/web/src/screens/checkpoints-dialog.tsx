import type { CheckpointRow } from "@handrail/protocol/checkpoints";
import type { ConversationState } from "@handrail/protocol/conversation-state";
import { useQuery } from "@tanstack/react-query";
import { GitFork, History, Save } from "lucide-react";
import { Age } from "../components/age.tsx";
import { Button } from "../components/button.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Empty, Failure } from "../components/empty.tsx";
import { CHECKPOINT_REASONS } from "../state/checkpoint-name.ts";
import { checkpointsQuery } from "../state/checkpoint-queries.ts";
import { formatBytes, plural } from "../state/format.ts";
import { useServices } from "../state/services.ts";
import { type CheckpointActions, useCheckpointActions } from "../state/use-checkpoint-actions.ts";
import { CompareCheckpoints } from "./compare-checkpoints.tsx";

type CheckpointsProps = { readonly state: ConversationState; readonly onClose: () => void };

/** The workspace as it was: to go back to, or to start another conversation from. */
export function CheckpointsDialog({ state, onClose }: CheckpointsProps) {
  const { client } = useServices();
  const { error, data } = useQuery(checkpointsQuery(client, state.id, state.head));
  const actions = useCheckpointActions(state.id, onClose);
  return (
    <Dialog title="Checkpoints" open onClose={onClose} wide>
      <div className="flex flex-col gap-3">
        <p className="text-ink-2">
          All files of the workspace as they were, with git's own in .git, which are counted here and not where the
          workspace is said to be ready. Going back keeps what is there now as another checkpoint.
        </p>
        <KeepNow actions={actions} working={state.run !== null} />
        {actions.problem !== null && <Failure error={actions.problem} />}
        {data === undefined && <NotThere error={error} />}
        {data?.checkpoints.length === 0 && <Empty>There is none yet. One is made after each run.</Empty>}
        <CompareCheckpoints id={state.id} rows={data?.checkpoints ?? []} />
        <ul aria-label="Checkpoints" className="flex flex-col">
          {data?.checkpoints.map((row) => (
            <Row key={row.checkpointId} row={row} working={state.run !== null} actions={actions} />
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

const NotThere = ({ error }: { readonly error: Error | null }) =>
  error === null ? <p className="text-ink-2">Loading the checkpoints.</p> : <Failure error={error} />;

type ActionProps = { readonly actions: CheckpointActions; readonly working: boolean };

function KeepNow({ actions: { busy, keep }, working }: ActionProps) {
  return (
    <div>
      <Button icon={Save} disabled={busy !== null} onClick={keep}>
        {busy === "keep" ? "Keeping the files" : "Keep the files as they are now"}
      </Button>
      {working && (
        <p className="mt-1 text-small text-ink-3">A run is under way. Going back has to wait until it ends.</p>
      )}
    </div>
  );
}

function Row({ row, actions, working }: ActionProps & { readonly row: CheckpointRow }) {
  const { busy, goBack, fork } = actions;
  const { checkpointId } = row;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-2">
      <span className="min-w-0 flex-1 basis-60">
        <span className="font-medium">{CHECKPOINT_REASONS[row.reason]}</span> · <Age at={row.at} />
        <span className="block text-small text-ink-3">{describeRow(row)}</span>
      </span>
      <Button icon={History} disabled={working || busy !== null} onClick={() => goBack(checkpointId)}>
        {busy === `back ${checkpointId}` ? "Going back" : "Go back to this"}
      </Button>
      <Button icon={GitFork} disabled={busy !== null} onClick={() => fork(checkpointId)}>
        {busy === `fork ${checkpointId}` ? "Forking" : "Fork"}
      </Button>
    </li>
  );
}

function describeChanges(changes: CheckpointRow["changes"]): string {
  if (changes === null) return "changes not known";
  if (changes.files === 0) return "no changes";
  return `${plural(changes.files, "file")} changed, +${changes.added} −${changes.removed}`;
}

function describeRow({ files, bytes, changes, leftOutCount }: CheckpointRow): string {
  const parts = [
    `${plural(files, "file")} with git's own, ${formatBytes(bytes)}`,
    describeChanges(changes),
    ...(leftOutCount === 0 ? [] : [`${leftOutCount} left out`]),
  ];
  return parts.join(" · ");
}
