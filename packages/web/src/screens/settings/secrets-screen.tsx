import type { SecretInfo, SecretScope } from "@handrail/protocol/secrets";
import { pushRuleText, requestRuleText } from "@handrail/protocol/secret-text";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Pencil, Plus, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { Age } from "../../components/age.tsx";
import { Button, IconButton } from "../../components/button.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Empty, Failure } from "../../components/empty.tsx";
import { focusList } from "../../components/focus-list.ts";
import { Section } from "../../components/section.tsx";
import { useServices } from "../../state/services.ts";
import { showToast } from "../../state/toasts.ts";
import { useAction } from "../../state/use-action.ts";
import { SecretForm } from "./secret-form.tsx";

/** Secrets that the broker puts into requests: sandboxes use them and do not hold them. */
export function SecretsScreen() {
  const { client } = useServices();
  const { data, error } = useQuery({
    queryKey: ["secrets"],
    queryFn: ({ signal }) => client.secrets({ signal }),
    refetchInterval: 10_000,
  });
  const [edited, setEdited] = useState<SecretInfo | "new" | null>(null);
  return (
    <Section
      title="Secrets"
      action={
        <Button icon={Plus} onClick={() => setEdited("new")}>
          Add a secret
        </Button>
      }
    >
      <p className="mb-2 text-ink-2">
        Put into requests on their way out, so that sandboxes use them and do not hold them; only a file is inside. A
        value is never shown again.
      </p>
      {error !== null && <Failure error={error} />}
      {data === undefined && error === null && <p className="text-ink-2">Loading the secrets.</p>}
      {data?.secrets.length === 0 && (
        <Empty>No secret is set. One for your git host lets the agent fetch and push.</Empty>
      )}
      <ul aria-label="Secrets" tabIndex={-1} className="flex flex-col outline-none">
        {data?.secrets.map((secret) => (
          <SecretRow key={`${teamOf(secret) ?? ""} ${secret.name}`} secret={secret} onEdit={() => setEdited(secret)} />
        ))}
      </ul>
      {edited !== null && <SecretDialog edited={edited} all={data?.secrets ?? []} onClose={() => setEdited(null)} />}
    </Section>
  );
}

type SecretDialogProps = {
  readonly edited: SecretInfo | "new";
  readonly all: readonly SecretInfo[];
  readonly onClose: () => void;
};

function SecretDialog({ edited, all, onClose }: SecretDialogProps) {
  const known = edited === "new" ? null : edited;
  return (
    <Dialog title={known === null ? "Add a secret" : titleOf(known)} open onClose={onClose} wide>
      <SecretForm known={known} all={all} onClose={onClose} />
    </Dialog>
  );
}

const teamOf = ({ scope }: SecretInfo) => (scope.type === "team" ? scope.teamId : undefined);

/** What tells it from others: a team's may have the name of the user's own. */
function titleOf(secret: SecretInfo): string {
  const team = teamOf(secret);
  return team === undefined ? secret.name : `${secret.name} of team ${team}`;
}

function SecretRow({ secret, onEdit }: { readonly secret: SecretInfo; readonly onEdit: () => void }) {
  const { name, lastUsedAt } = secret;
  const title = titleOf(secret);
  const { client } = useServices();
  const queries = useQueryClient();
  const row = useRef<HTMLLIElement>(null);
  const [asking, setAsking] = useState(false);
  const remove = useAction(async () => {
    await client.removeSecret({ params: { name }, query: { team: teamOf(secret) } });
    focusList(row.current);
    await queries.invalidateQueries({ queryKey: ["secrets"] });
    showToast(`${title} is removed.`);
  });
  return (
    <li
      ref={row}
      aria-busy={remove.busy}
      className="flex items-center gap-3 border-t border-line py-2 aria-busy:opacity-60"
    >
      <KeyRound size={14} aria-hidden className="shrink-0 text-ink-3" />
      <div className="min-w-0 flex-1">
        <p>
          <code className="font-mono font-medium [overflow-wrap:anywhere]">{name}</code>{" "}
          <span className="text-small text-ink-3">
            {lastUsedAt === null ? "never used" : <UsedAt at={lastUsedAt} />}
          </span>
        </p>
        <p className="[overflow-wrap:anywhere] text-small text-ink-2">{describeSecret(secret)}</p>
      </div>
      <IconButton label={`Change ${title}`} icon={Pencil} onClick={onEdit} />
      <IconButton label={`Remove ${title}`} icon={Trash2} disabled={remove.busy} onClick={() => setAsking(true)} />
      <Confirm
        title={`Remove ${title}`}
        text="Requests go without it from then on. Its value cannot be brought back."
        action="Remove"
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={remove.start}
      />
    </li>
  );
}

function UsedAt({ at }: { readonly at: number }) {
  return (
    <>
      used <Age at={at} />
    </>
  );
}

function describeSecret({ use, scope, environment, description }: SecretInfo): string {
  const parts = [
    describeUse(use),
    ...(environment === undefined ? [] : [`as ${environment}`]),
    describeScope(scope),
    ...(description === undefined ? [] : [description]),
  ];
  return parts.join(" · ");
}

function describeScope(scope: SecretScope): string {
  if (scope.type === "owner") return "all your conversations";
  return scope.type === "team" ? `all conversations of team ${scope.teamId}` : `your conversations on ${scope.url}`;
}

function describeUse(use: SecretInfo["use"]): string {
  if (use.type === "file") return "a file in memory";
  const user = use.user === undefined ? "" : ` of the user ${use.user}`;
  if (use.type === "header") {
    return `${use.header ?? "Authorization"}${user} to ${use.hosts.map(requestRuleText).join(", ")}`;
  }
  const fetch = use.repositories.length === 0 ? [] : [`fetch ${use.repositories.join(", ")}`];
  const push = use.push.length === 0 ? [] : [`push ${use.push.map(pushRuleText).join(", ")}`];
  return [`git at ${use.host}${user}`, ...fetch, ...push].join(", ");
}
