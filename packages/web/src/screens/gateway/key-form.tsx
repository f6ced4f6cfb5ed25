import type { KeyInfo, KeyInput } from "@handrail/protocol/gateway";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Choices, TextField } from "../../components/field.tsx";
import { FormEnd } from "../../components/form-end.tsx";
import { type KeyDraft, keyDraft, NEW_KEY, readKeyDraft } from "../../state/key-draft.ts";
import { useServices } from "../../state/services.ts";
import { KeyLimitFields } from "./key-limit-fields.tsx";

const CACHES = [
  { value: "off", label: "Off" },
  { value: "key", label: "This key" },
  { value: "team", label: "Its team" },
  { value: "all", label: "All keys" },
] as const;

type KeyFormProps = {
  readonly before: KeyInfo | undefined;
  /** With the key itself when one was made. */
  readonly onDone: (key: string | null) => void;
};

/** Creates a key, or changes what one may do. */
export function KeyForm({ before, onDone }: KeyFormProps) {
  const [draft, setDraft] = useState(before === undefined ? NEW_KEY : keyDraft(before));
  const [wrong, setWrong] = useState<string | null>(null);
  const save = useSave(before, onDone);
  const set = (part: Partial<KeyDraft>) => setDraft({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readKeyDraft(draft, Date.now());
    setWrong(typeof read === "string" ? read : null);
    if (typeof read !== "string") save.mutate(read);
  };
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-3">
      <TextField
        label="Name"
        hint="For you: who or what uses it."
        value={draft.name}
        onValue={(name) => set({ name })}
      />
      <RightsFields draft={draft} set={set} known={before !== undefined} />
      <KeyLimitFields limits={draft.limits} onChange={(part) => set({ limits: { ...draft.limits, ...part } })} />
      <Choices
        label="Cached answers, shared with"
        value={draft.cache}
        options={CACHES}
        onValue={(cache) => set({ cache })}
      />
      <FormEnd
        problem={wrong ?? save.error?.message ?? null}
        busy={save.isPending}
        action={before === undefined ? "Create" : "Save"}
        onCancel={() => onDone(null)}
      />
    </form>
  );
}

function useSave(before: KeyInfo | undefined, onDone: (key: string | null) => void) {
  const { client } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: KeyInput) => {
      if (before === undefined) return (await client.createGatewayKey({ body })).key;
      const { owner: _, admin: __, ...change } = body;
      // The form shows them, so what is empty there is meant.
      const emptied = { models: body.models ?? null, teamId: body.teamId ?? null };
      await client.changeGatewayKey({ params: { id: before.id }, body: { ...change, ...emptied } });
      return null;
    },
    onSuccess: async (key) => {
      await queries.invalidateQueries({ queryKey: ["gateway", "keys"] });
      onDone(key);
    },
  });
}

type RightsProps = {
  readonly draft: KeyDraft;
  readonly set: (part: Partial<KeyDraft>) => void;
  readonly known: boolean;
};

function RightsFields({ draft, set, known }: RightsProps) {
  return (
    <div className="grid grid-cols-3 gap-3 max-md:grid-cols-1">
      <TextField
        label="Models"
        hint="Names, perhaps with * at the end. Empty: all."
        value={draft.models}
        onValue={(models) => set({ models })}
      />
      <TextField label="Team" hint="Whose limits count too." value={draft.team} onValue={(team) => set({ team })} />
      <TextField
        label="Good for, days"
        inputMode="decimal"
        hint={!known ? "Empty: until it is revoked." : "Empty: as it is."}
        value={draft.days}
        onValue={(days) => set({ days })}
      />
    </div>
  );
}
