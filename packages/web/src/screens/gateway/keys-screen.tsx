import type { KeyInfo } from "@handrail/protocol/gateway";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Ban, Ellipsis, KeyRound, Pencil, Plus, RefreshCw } from "lucide-react";
import { useState } from "react";
import { Age } from "../../components/age.tsx";
import { Button, IconButton } from "../../components/button.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Empty, Failure } from "../../components/empty.tsx";
import { Menu } from "../../components/menu.tsx";
import { Section } from "../../components/section.tsx";
import { formatExact } from "../../state/format.ts";
import { gatewayKeysQuery } from "../../state/gateway-queries.ts";
import { describeKeyLimits } from "../../state/key-limit-draft.ts";
import { useServices } from "../../state/services.ts";
import { report, showToast } from "../../state/toasts.ts";
import { useNow } from "../../state/use-now.ts";
import { BudgetBar } from "./budget-bar.tsx";
import { KeyForm } from "./key-form.tsx";
import { NewKeyDialog } from "./new-key-dialog.tsx";

/** Virtual keys: who may ask the gateway for what, and how much. */
export function KeysScreen() {
  const { client } = useServices();
  const { data, error } = useQuery(gatewayKeysQuery(client));
  const [edited, setEdited] = useState<KeyInfo | "new" | null>(null);
  const [made, setMade] = useState<string | null>(null);
  const done = (key: string | null) => {
    setEdited(null);
    setMade(key);
  };
  return (
    <Section
      title="Keys"
      action={
        <Button icon={Plus} onClick={() => setEdited("new")}>
          Create a key
        </Button>
      }
    >
      <p className="mb-2 text-ink-2">
        Programs use them at <code className="font-mono">{location.origin}/v1</code>, with any OpenAI or Anthropic
        client. Conversations have keys of their own, which are not listed.
      </p>
      {error !== null && <Failure error={error} />}
      {data?.keys.length === 0 && (
        <Empty>There is no key yet. One lets other programs use your models, within limits.</Empty>
      )}
      <ul aria-label="Keys" className="flex flex-col">
        {data?.keys.map((info) => (
          <KeyRow key={info.id} info={info} onEdit={() => setEdited(info)} onMade={setMade} />
        ))}
      </ul>
      {edited !== null && (
        <Dialog title={edited === "new" ? "Create a key" : edited.name} open onClose={() => setEdited(null)} wide>
          <KeyForm before={edited === "new" ? undefined : edited} onDone={done} />
        </Dialog>
      )}
      {made !== null && <NewKeyDialog secret={made} onClose={() => setMade(null)} />}
    </Section>
  );
}

type RowProps = { readonly info: KeyInfo; readonly onEdit: () => void; readonly onMade: (key: string) => void };

function KeyRow({ info, onEdit, onMade }: RowProps) {
  const { standings, spentUsd } = info;
  const ended = endOf(info, useNow(20_000));
  return (
    <li className="flex items-center gap-3 border-t border-line py-2">
      <KeyRound size={14} aria-hidden className="shrink-0 text-ink-3" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-56">
          <p>
            <span className="font-medium">{info.name}</span>{" "}
            <code className="font-mono text-small text-ink-2">{info.hint}</code>{" "}
            {ended !== null && <span className="font-medium text-bad">{ended}</span>}
            {info.admin && <span className="text-warn">may manage keys</span>}
          </p>
          <p className="[overflow-wrap:anywhere] text-small text-ink-2">
            {describeKey(info)} · created <Age at={info.createdAt} />
            {info.expiresAt !== undefined && ended === null && ` · until ${formatExact(info.expiresAt)}`}
          </p>
        </div>
        <BudgetBar standings={standings} spentUsd={spentUsd} />
      </div>
      {info.revokedAt === undefined && <KeyMenu info={info} onEdit={onEdit} onMade={onMade} />}
    </li>
  );
}

function endOf({ revokedAt, expiresAt }: KeyInfo, now: number): string | null {
  if (revokedAt !== undefined) return "revoked";
  return expiresAt !== undefined && expiresAt <= now ? "expired" : null;
}

function describeKey({ owner, models, limits }: KeyInfo): string {
  const whose = owner.kind === "team" ? [`team ${owner.id}`] : [];
  return [...whose, models === undefined ? "all models" : models.join(", "), describeKeyLimits(limits)].join(" · ");
}

function KeyMenu({ info, onEdit, onMade }: RowProps) {
  const { client } = useServices();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<"rotate" | "revoke" | null>(null);
  const refresh = () => queries.invalidateQueries({ queryKey: ["gateway", "keys"] });
  const params = { id: info.id };
  const rotate = async () => {
    const { key } = await client.rotateGatewayKey({ params, body: {} });
    onMade(key);
    await refresh();
  };
  const revoke = async () => {
    await client.revokeGatewayKey({ params });
    showToast(`${info.name} is revoked: its next call is refused.`);
    await refresh();
  };
  return (
    <>
      <Menu
        trigger={<IconButton label={`More for ${info.name}`} icon={Ellipsis} />}
        items={[
          { label: "Change", icon: Pencil, onSelect: onEdit },
          { label: "Replace by a new key", icon: RefreshCw, onSelect: () => setAsking("rotate") },
          { label: "Revoke", icon: Ban, onSelect: () => setAsking("revoke"), danger: true },
        ]}
      />
      <Confirm
        title={`Replace ${info.name}`}
        text="The old key stops at once. The new one has its rights, its limits and its spend."
        action="Replace"
        open={asking === "rotate"}
        onClose={() => setAsking(null)}
        onConfirm={() => report(rotate())}
      />
      <Confirm
        title={`Revoke ${info.name}`}
        text="Programs that use it are refused from their next call on. This cannot be taken back."
        action="Revoke"
        open={asking === "revoke"}
        onClose={() => setAsking(null)}
        onConfirm={() => report(revoke())}
      />
    </>
  );
}
