import type { ConversationState } from "@handrail/protocol/conversation-state";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button } from "../components/button.tsx";
import { Dialog } from "../components/dialog.tsx";
import { LimitFields } from "../components/limit-fields.tsx";
import { type ChangeDraft, changeDraft, readChange, type SettingsChange } from "../state/change-draft.ts";
import { useServices } from "../state/services.ts";
import { showToast } from "../state/toasts.ts";
import { useOnline } from "../state/use-known-now.ts";
import { ModelSelect } from "./model-select.tsx";
import { NetworkFields } from "./network-fields.tsx";

type ChangeProps = { readonly state: ConversationState; readonly onClose: () => void };

/** What can be changed about a conversation that exists: its model, what it may reach, and what it may use. */
export function ChangeDialog({ state, onClose }: ChangeProps) {
  return (
    <Dialog title="Model, network and limits" open onClose={onClose} wide>
      <ChangeForm state={state} onClose={onClose} />
    </Dialog>
  );
}

function ChangeForm({ state, onClose }: ChangeProps) {
  const [draft, setDraft] = useState(() => changeDraft(state));
  const online = useOnline();
  const { change, problem, submit } = useChange(state, onClose);
  const set = (part: Partial<ChangeDraft>) => setDraft({ ...draft, ...part });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    submit(draft);
  };
  return (
    <form onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
      <ModelSelect model={draft.model} hint="Holds from the next step." onModel={(model) => set({ model })} />
      <NetworkFields draft={draft} onChange={set} />
      <LimitFields
        legend="Each run"
        hint="Holds from the next run, and when you continue. Empty means no limit."
        limits={draft.runLimits}
        onChange={(part) => set({ runLimits: { ...draft.runLimits, ...part } })}
      />
      <LimitFields
        legend="The whole conversation"
        hint="Holds at once, and counts what was used so far. Empty means no limit."
        limits={draft.limits}
        onChange={(part) => set({ limits: { ...draft.limits, ...part } })}
      />
      {problem !== null && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" type="submit" disabled={change.isPending || !online}>
          {change.isPending ? "Saving" : "Save"}
        </Button>
      </div>
    </form>
  );
}

function useChange(state: ConversationState, onDone: () => void) {
  const { client } = useServices();
  const [shown] = useState(state);
  const [wrong, setWrong] = useState<string | null>(null);
  const change = useMutation({
    mutationFn: (body: SettingsChange) => client.changeConversation({ params: { id: state.id }, body }),
    onSuccess: () => {
      showToast("The settings are changed.");
      onDone();
    },
  });
  const submit = (draft: ChangeDraft) => {
    const read = readChange(shown, draft, state);
    setWrong(typeof read === "string" ? read : null);
    if (typeof read === "string") return;
    if (Object.keys(read).length === 0) onDone();
    else change.mutate(read);
  };
  return { change, submit, problem: wrong ?? change.error?.message ?? null };
}
