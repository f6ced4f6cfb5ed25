import type { SecretInfo } from "@handrail/protocol/secrets";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Choices, TextField } from "../../components/field.tsx";
import { FormEnd } from "../../components/form-end.tsx";
import {
  NEW_SECRET,
  type ReadSecret,
  readSecretDraft,
  secretDraft,
  type SecretDraft,
} from "../../state/secret-draft.ts";
import { useServices } from "../../state/services.ts";
import { showToast } from "../../state/toasts.ts";
import { TeamSelect } from "../team-select.tsx";

const USES = [
  { value: "header", label: "Header of requests" },
  { value: "git", label: "Git over HTTPS" },
  { value: "file", label: "File inside" },
] as const;

type SecretFormProps = {
  /** The stored secret that is changed; null for a new one. */
  readonly known: SecretInfo | null;
  /** Those that there are. */
  readonly all: readonly SecretInfo[];
  readonly onClose: () => void;
};

/** Sets a secret, or changes how a known one is used. */
export function SecretForm({ known, all, onClose }: SecretFormProps) {
  const [draft, setDraft] = useState(() => (known === null ? NEW_SECRET : secretDraft(known)));
  const [wrong, setWrong] = useState<string | null>(null);
  const save = useSaveSecret(onClose);
  const set = (field: keyof SecretDraft) => (value: string) => setDraft({ ...draft, [field]: value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = known === null && isTaken(all, draft) ? TAKEN : readSecretDraft(draft, known);
    setWrong(typeof read === "string" ? read : null);
    if (typeof read !== "string") save.mutate(read);
  };
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-3">
      {known === null && <TextField label="Name" placeholder="NPM_TOKEN" value={draft.name} onValue={set("name")} />}
      <TextField
        label="Value"
        type="password"
        hint={valueHint(known !== null, draft.team)}
        value={draft.value}
        onValue={set("value")}
      />
      <Choices label="Use" value={draft.use} options={USES} onValue={set("use")} />
      <UseFields draft={draft} set={set} />
      <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
        <TextField
          label="Variable inside"
          hint={
            draft.use === "file"
              ? "Set to the file's path."
              : "Set to a placeholder; the value takes its place outside."
          }
          placeholder="NPM_TOKEN"
          value={draft.environment}
          onValue={set("environment")}
        />
        <ScopeFields draft={draft} set={set} known={known !== null} />
      </div>
      <TextField label="Note" value={draft.description} onValue={set("description")} />
      <FormEnd problem={wrong ?? save.error?.message ?? null} busy={save.isPending} action="Save" onCancel={onClose} />
    </form>
  );
}

const TAKEN = "There is a secret of this name already. Change that one in the list, or remove it first.";

/** Saving it would put another value in the place of one that nobody could read again. */
const isTaken = (all: readonly SecretInfo[], { name, team }: SecretDraft): boolean =>
  all.some((one) => one.name === name.trim() && (one.scope.type === "team" ? one.scope.teamId === team : team === ""));

/** Whose a known secret is stays. */
function ScopeFields({ draft, set, known }: UseProps & { readonly known: boolean }) {
  return (
    <>
      {!known && (
        <TeamSelect
          label="Whose conversations"
          none="Yours"
          hint={draft.team === "" ? undefined : "Who is in the team can use and change it. Your own of that name wins."}
          team={draft.team}
          onTeam={set("team")}
        />
      )}
      {draft.team === "" && (
        <TextField
          label="Only for the repository"
          hint="Its git URL. Empty: for all your conversations."
          value={draft.repository}
          onValue={set("repository")}
        />
      )}
    </>
  );
}

function valueHint(known: boolean, team: string): string {
  if (!known) return "Kept encrypted on the server, and never shown again.";
  if (team === "") return "Leave this empty to keep the stored value.";
  return "Leave this empty to keep the stored value; it is needed for another use.";
}

function useSaveSecret(onClose: () => void) {
  const { client } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, body }: ReadSecret) => client.saveSecret({ params: { name }, body }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: ["secrets"] });
      showToast(`${name} is set. It holds from the next request.`);
      onClose();
    },
  });
}

type UseProps = { readonly draft: SecretDraft; readonly set: (field: keyof SecretDraft) => (value: string) => void };

function UseFields({ draft, set }: UseProps) {
  if (draft.use === "file") {
    return (
      <p className="text-small text-ink-3">The value is inside the sandbox then. It is masked in all that comes out.</p>
    );
  }
  return (
    <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
      {draft.use === "header" ? (
        <>
          <TextField
            label="Hosts"
            hint="Separated by spaces; with :PORT and /PATH, and GET,POST before one, where need be."
            placeholder="api.example.org/v1/**"
            value={draft.hosts}
            onValue={set("hosts")}
          />
          <TextField
            label="Header"
            hint="Authorization, or a name and its value."
            placeholder="X-Api-Key: {secret}"
            value={draft.header}
            onValue={set("header")}
          />
        </>
      ) : (
        <>
          <TextField label="Git host" placeholder="git.example.org" value={draft.gitHost} onValue={set("gitHost")} />
          <TextField label="May fetch" placeholder="owner/*" value={draft.fetch} onValue={set("fetch")} />
          <TextField
            label="May push"
            hint="Repository and branches, separated by spaces; tags as refs/tags/v*."
            placeholder="owner/repo:handrail/*"
            value={draft.push}
            onValue={set("push")}
          />
        </>
      )}
      <TextField label="User, for HTTP Basic" value={draft.user} onValue={set("user")} />
    </div>
  );
}
