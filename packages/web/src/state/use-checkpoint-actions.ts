import type { AnswerOf } from "@handrail/client/create-client";
import type { Routes } from "@handrail/protocol/routes";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { plural } from "./format.ts";
import { useServices } from "./services.ts";
import { report, showError, showToast } from "./toasts.ts";
import { useOnline } from "./use-known-now.ts";

/** What can be done with checkpoints, one thing at a time. `busy` names what is under way: `back ID`, `fork ID`, `keep`. */
export type CheckpointActions = {
  readonly busy: string | null;
  /** Why the last of them failed. */
  readonly problem: string | null;
  readonly keep: () => void;
  readonly goBack: (checkpointId: string) => void;
  readonly fork: (checkpointId: string) => void;
};

/** `onDone` closes the dialog. While offline all is busy: the server alone can do it. */
export function useCheckpointActions(id: string, onDone: () => void): CheckpointActions {
  const { client } = useServices();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const online = useOnline();
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const start = (name: string, work: () => Promise<unknown>) => {
    setBusy(name);
    setProblem(null);
    const failed = (error: unknown) => setProblem(error instanceof Error ? error.message : String(error));
    report(
      work()
        .catch(failed)
        .finally(() => setBusy(null)),
    );
  };
  const restore = async (checkpointId: string) => {
    const done = await client.restoreCheckpoint({ params: { id }, body: { checkpointId } });
    tellRestored(done, () => report(restore(done.undo)));
  };
  return {
    busy: online ? busy : "offline",
    problem,
    keep: () =>
      start("keep", async () => {
        await client.createCheckpoint({ params: { id } });
        showToast("The files are kept as they are now.");
        await queries.invalidateQueries({ queryKey: ["checkpoints", id] });
      }),
    goBack: (checkpointId) => start(`back ${checkpointId}`, () => restore(checkpointId).then(onDone)),
    fork: (checkpointId) =>
      start(`fork ${checkpointId}`, async () => {
        const made = await client.forkConversation({ params: { id }, body: { checkpointId } });
        // Going back leads to the conversation, not to this dialog.
        const params = { conversationId: made.id };
        await navigate({ to: "/conversations/$conversationId", params, replace: true });
      }),
  };
}

type Restored = AnswerOf<Routes["restoreCheckpoint"]>;

function tellRestored({ written, removed, failed }: Restored, undo: () => void): void {
  showToast(
    `${plural(written, "file")} written, ${removed} removed. The files as they were before are kept.`,
    "plain",
    undo,
  );
  if (failed.length === 0) return;
  const more = failed.length > 3 ? ` and ${failed.length - 3} more` : "";
  showError(
    new Error(`${plural(failed.length, "file")} could not be restored: ${failed.slice(0, 3).join(", ")}${more}.`),
  );
}
