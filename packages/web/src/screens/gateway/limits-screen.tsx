import type { OwnerInfo } from "@handrail/protocol/gateway";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, User, Users } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button, IconButton } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Empty, Failure } from "../../components/empty.tsx";
import { Choices, TextField } from "../../components/field.tsx";
import { FormEnd } from "../../components/form-end.tsx";
import { Section } from "../../components/section.tsx";
import { gatewayOwnersQuery } from "../../state/gateway-queries.ts";
import {
  describeKeyLimits,
  type KeyLimitDraft,
  keyLimitDraft,
  NO_KEY_LIMITS,
  readKeyLimits,
} from "../../state/key-limit-draft.ts";
import { useServices } from "../../state/services.ts";
import { BudgetBar } from "./budget-bar.tsx";
import { KeyLimitFields } from "./key-limit-fields.tsx";

/** Limits of users and teams, over all their keys. */
export function LimitsScreen() {
  const { client } = useServices();
  const { data, error } = useQuery(gatewayOwnersQuery(client));
  const [edited, setEdited] = useState<OwnerInfo | "new" | null>(null);
  return (
    <Section
      title="Limits of users and teams"
      action={
        <Button icon={Plus} onClick={() => setEdited("new")}>
          Add limits
        </Button>
      }
    >
      <p className="mb-2 text-ink-2">
        They hold for all keys of the user or team together, and for conversations. A call counts against its key, its
        user and its team; what is reserved for calls under way counts as used.
      </p>
      {error !== null && <Failure error={error} />}
      {data?.owners.length === 0 && <Empty>Nobody has limits. Keys and conversations have their own.</Empty>}
      <ul aria-label="Limits" className="flex flex-col">
        {data?.owners.map((owner) => (
          <OwnerRow key={`${owner.kind}:${owner.id}`} owner={owner} onEdit={() => setEdited(owner)} />
        ))}
      </ul>
      {edited !== null && (
        <Dialog title={edited === "new" ? "Add limits" : edited.name} open onClose={() => setEdited(null)} wide>
          <OwnerForm before={edited === "new" ? undefined : edited} onClose={() => setEdited(null)} />
        </Dialog>
      )}
    </Section>
  );
}

function OwnerRow({ owner, onEdit }: { readonly owner: OwnerInfo; readonly onEdit: () => void }) {
  const Icon = owner.kind === "team" ? Users : User;
  return (
    <li className="flex items-center gap-3 border-t border-line py-2">
      <Icon size={14} aria-hidden className="shrink-0 text-ink-3" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-56">
          <p>
            <span className="font-medium">{owner.name}</span>{" "}
            <span className="text-small text-ink-2">
              {owner.kind} {owner.id}
            </span>
          </p>
          <p className="text-small text-ink-2">{describeKeyLimits(owner.limits)}</p>
        </div>
        <BudgetBar standings={owner.standings} spentUsd={owner.spentUsd} />
      </div>
      <IconButton label={`Change the limits of ${owner.name}`} icon={Pencil} onClick={onEdit} />
    </li>
  );
}

const KINDS = [
  { value: "user", label: "User" },
  { value: "team", label: "Team" },
] as const;

type OwnerFormProps = { readonly before: OwnerInfo | undefined; readonly onClose: () => void };

function OwnerForm({ before, onClose }: OwnerFormProps) {
  const [draft, setDraft] = useState(() => ownerDraft(before));
  const [wrong, setWrong] = useState<string | null>(null);
  const save = useSave(onClose);
  const { kind, id, name, limits } = draft;
  const set = (part: Partial<OwnerDraft>) => setDraft({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readOwner(draft);
    setWrong(typeof read === "string" ? read : null);
    if (typeof read !== "string") save.mutate(read);
  };
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-3">
      {before === undefined && (
        <>
          <Choices label="Whose" value={kind} options={KINDS} onValue={(value) => set({ kind: value })} />
          <TextField
            label="Id"
            hint="As keys name it; yours is local."
            value={id}
            onValue={(value) => set({ id: value })}
          />
        </>
      )}
      <TextField label="Name" value={name} onValue={(value) => set({ name: value })} />
      <KeyLimitFields limits={limits} onChange={(part) => set({ limits: { ...limits, ...part } })} />
      <FormEnd problem={wrong ?? save.error?.message ?? null} busy={save.isPending} action="Save" onCancel={onClose} />
    </form>
  );
}

type OwnerDraft = Pick<OwnerInfo, "kind" | "id" | "name"> & { readonly limits: KeyLimitDraft };

function ownerDraft(before: OwnerInfo | undefined): OwnerDraft {
  if (before === undefined) return { kind: "team", id: "", name: "", limits: NO_KEY_LIMITS };
  return { kind: before.kind, id: before.id, name: before.name, limits: keyLimitDraft(before.limits) };
}

function readOwner({ kind, id, name, limits }: OwnerDraft): Wanted | string {
  if (id.trim() === "") return "Give the id of the user or team.";
  const read = readKeyLimits(limits);
  return typeof read === "string" ? read : { kind, id: id.trim(), name: name.trim() || id.trim(), limits: read };
}

type Wanted = Pick<OwnerInfo, "kind" | "id" | "name" | "limits">;

function useSave(onClose: () => void) {
  const { client } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ kind, id, ...body }: Wanted) => client.saveGatewayOwner({ params: { kind, id }, body }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["gateway", "owners"] });
      onClose();
    },
  });
}
