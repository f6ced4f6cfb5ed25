import type { DeploymentHealth, DeploymentInfo } from "@handrail/protocol/gateway";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleDashed, CirclePause, Pencil, Plus, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { Button, IconButton } from "../../components/button.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Empty, Failure } from "../../components/empty.tsx";
import { focusList } from "../../components/focus-list.ts";
import { Section } from "../../components/section.tsx";
import { formatCount, formatDuration, plural } from "../../state/format.ts";
import { gatewayModelsQuery } from "../../state/gateway-queries.ts";
import { useServices } from "../../state/services.ts";
import { showToast } from "../../state/toasts.ts";
import { useAction } from "../../state/use-action.ts";
import { useNow } from "../../state/use-now.ts";
import { ModelTestResult } from "../model-test-result.tsx";
import { DeploymentForm } from "./deployment-form.tsx";
import { PROVIDER_NAMES } from "./provider-names.ts";

/** Places where models can be had, how they are doing, and ways to add, test and remove them. */
export function ModelsScreen() {
  const { client } = useServices();
  const { data, error } = useQuery(gatewayModelsQuery(client));
  const [edited, setEdited] = useState<DeploymentInfo | "new" | null>(null);
  return (
    <Section
      title="Models"
      action={
        <Button icon={Plus} onClick={() => setEdited("new")}>
          Add a model
        </Button>
      }
    >
      <p className="mb-2 text-ink-2">
        What conversations and keys may ask for. Several places under one name share its load, and stand in for each
        other.
      </p>
      {error !== null && <Failure error={error} />}
      {data === undefined && error === null && <p className="text-ink-2">Loading the models.</p>}
      {data?.models.length === 0 && <Empty>No model is set. Add one, or set the first under General.</Empty>}
      <ul aria-label="Models" tabIndex={-1} className="flex flex-col outline-none">
        {data?.models.map((model) => (
          <ModelRow key={model.id} model={model} onEdit={() => setEdited(model)} />
        ))}
      </ul>
      {edited !== null && (
        <Dialog title={edited === "new" ? "Add a model" : edited.name} open onClose={() => setEdited(null)} wide>
          <DeploymentForm before={edited === "new" ? undefined : edited} onClose={() => setEdited(null)} />
        </Dialog>
      )}
    </Section>
  );
}

function ModelRow({ model, onEdit }: { readonly model: DeploymentInfo; readonly onEdit: () => void }) {
  const { client } = useServices();
  const test = useMutation({ mutationFn: () => client.testGatewayModel({ params: { id: model.id } }) });
  return (
    <li className="flex flex-col gap-2 border-t border-line py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-60">
          <p className="[overflow-wrap:anywhere]">
            <code className="font-mono font-medium">{model.name}</code>{" "}
            <span className="text-small text-ink-2">{describeModel(model)}</span>
          </p>
          <Health health={model.health} />
          {!model.priced && (
            <p className="flex items-center gap-1 text-small text-warn">
              <CircleAlert size={12} aria-hidden className="shrink-0" />
              No price is known. Budgets do not see its calls until you set one.
            </p>
          )}
        </div>
        <div className="ml-auto flex items-center gap-3">
          <Button disabled={test.isPending} onClick={() => test.mutate()}>
            {test.isPending ? "Waiting for the model" : "Test"}
          </Button>
          {model.source === "page" ? <Changes model={model} onEdit={onEdit} /> : null}
        </div>
      </div>
      <ModelTestResult result={test.data} error={test.error} />
    </li>
  );
}

const SOURCES: Readonly<Record<DeploymentInfo["source"], string | undefined>> = {
  page: undefined,
  setting: "set under General",
  configuration: "set by the configuration",
  demo: "the demo's script, no real model",
};

function describeModel({ provider, model, name, baseUrl, source, hasKey, weight }: DeploymentInfo): string {
  const parts = [
    PROVIDER_NAMES[provider],
    model === name ? undefined : model,
    baseUrl === undefined ? undefined : new URL(baseUrl).host,
    hasKey || source === "demo" ? undefined : "no key",
    weight === undefined ? undefined : `weight ${weight}`,
    SOURCES[source],
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}

const LOOKS = {
  unused: { icon: CircleDashed, tone: "text-ink-3", word: "Not used yet" },
  ok: { icon: CircleCheck, tone: "text-ok", word: "Works" },
  failing: { icon: CircleAlert, tone: "text-warn", word: "Fails" },
  resting: { icon: CirclePause, tone: "text-bad", word: "Rests after failures" },
} as const;

function Health({ health }: { readonly health: DeploymentHealth }) {
  const { icon: Icon, tone, word } = LOOKS[health.state];
  const now = useNow(5000);
  const rest = health.restsUntil === undefined ? 0 : health.restsUntil - now;
  const facts = [
    ...(health.calls === 0 ? [] : [health.calls === 1 ? "1 call" : `${formatCount(health.calls)} calls`]),
    ...(health.failures === 0 ? [] : [plural(health.failures, "failure")]),
    ...(health.p50Ms === null ? [] : [`${formatDuration(health.p50Ms)} median`]),
    ...(rest > 0 ? [`tried again in ${formatDuration(Math.ceil(rest / 1000) * 1000)}`] : []),
  ];
  return (
    <div className="text-small">
      <p className="flex items-center gap-1 text-ink-2">
        <Icon size={12} aria-hidden className={`shrink-0 ${tone}`} />
        <span className={tone}>{word}</span>
        {facts.length > 0 && <span>· {facts.join(" · ")}</span>}
      </p>
      {health.lastError !== undefined && health.state !== "ok" && (
        <p className="[overflow-wrap:anywhere] text-ink-3">{health.lastError}</p>
      )}
    </div>
  );
}

function Changes({ model, onEdit }: { readonly model: DeploymentInfo; readonly onEdit: () => void }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const place = useRef<HTMLSpanElement>(null);
  const [asking, setAsking] = useState(false);
  const remove = useAction(async () => {
    await client.removeGatewayModel({ params: { id: model.id } });
    focusList(place.current);
    await queries.invalidateQueries({ queryKey: ["gateway"] });
    await queries.invalidateQueries({ queryKey: ["settings"] });
    showToast(`${model.name} at ${PROVIDER_NAMES[model.provider]} is removed.`);
  });
  return (
    <span ref={place} className="flex items-center gap-3">
      <IconButton label={`Change ${model.name}`} icon={Pencil} onClick={onEdit} />
      <IconButton label={`Remove ${model.name}`} icon={Trash2} disabled={remove.busy} onClick={() => setAsking(true)} />
      <Confirm
        title={`Remove ${model.name}`}
        text="Its key is forgotten. Conversations and keys that ask for this name get what else has it, or nothing."
        action="Remove"
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={remove.start}
      />
    </span>
  );
}
