import { type DeploymentInfo, type DeploymentInput, ModelProvider } from "@handrail/protocol/gateway";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Field, INPUT, TextField } from "../../components/field.tsx";
import { FormEnd } from "../../components/form-end.tsx";
import {
  type DeploymentDraft,
  deploymentDraft,
  NEW_DEPLOYMENT,
  readDeploymentDraft,
} from "../../state/deployment-draft.ts";
import { useServices } from "../../state/services.ts";
import { showToast } from "../../state/toasts.ts";
import { PROVIDER_NAMES } from "./provider-names.ts";

type FormProps = { readonly before: DeploymentInfo | undefined; readonly onClose: () => void };
type Set = (field: keyof DeploymentDraft) => (value: string) => void;

/** Adds a place where a model can be had, or changes one. */
export function DeploymentForm({ before, onClose }: FormProps) {
  const [draft, setDraft] = useState(before === undefined ? NEW_DEPLOYMENT : deploymentDraft(before));
  const [wrong, setWrong] = useState<string | null>(null);
  const save = useSave(before, onClose);
  const set: Set = (field) => (value) => setDraft({ ...draft, [field]: value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readDeploymentDraft(draft, before);
    setWrong(typeof read === "string" ? read : null);
    if (typeof read !== "string") save.mutate(read);
  };
  const keyHint = before?.hasKey === true ? "A key is stored. Leave this empty to keep it." : KEY_HINTS[draft.provider];
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-3">
      <ProviderSelect provider={draft.provider} onProvider={set("provider")} />
      <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
        <TextField label="Model" hint="As the provider names it." value={draft.model} onValue={set("model")} />
        <TextField
          label="Name"
          hint="What clients ask for. Empty: the model's own."
          placeholder={draft.model}
          value={draft.name}
          onValue={set("name")}
        />
      </div>
      <TextField
        label="Base URL"
        type="url"
        hint="Empty for the provider's own address."
        value={draft.baseUrl}
        onValue={set("baseUrl")}
      />
      <TextField
        label="Key"
        type="password"
        hint={keyHint ?? "Kept encrypted on the server. Empty where none is needed."}
        value={draft.apiKey}
        onValue={set("apiKey")}
      />
      <ProviderFields draft={draft} set={set} />
      <MoreFields draft={draft} set={set} />
      <FormEnd problem={wrong ?? save.error?.message ?? null} busy={save.isPending} action="Save" onCancel={onClose} />
    </form>
  );
}

const KEY_HINTS: Partial<Record<ModelProvider, string>> = {
  bedrock: "accessKeyId:secretAccessKey, or a Bedrock API key.",
  vertex: "The JSON of a service account.",
};

function useSave(before: DeploymentInfo | undefined, onClose: () => void) {
  const { client } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: DeploymentInput) =>
      before === undefined
        ? client.addGatewayModel({ body })
        : client.changeGatewayModel({ params: { id: before.id }, body }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: ["gateway"] });
      await queries.invalidateQueries({ queryKey: ["settings"] });
      showToast(`${name} is set. It holds from the next call.`);
      onClose();
    },
  });
}

type ProviderProps = { readonly provider: ModelProvider; readonly onProvider: (provider: string) => void };

function ProviderSelect({ provider, onProvider }: ProviderProps) {
  return (
    <Field label="Provider">
      {(id) => (
        <select id={id} className={INPUT} value={provider} onChange={(event) => onProvider(event.target.value)}>
          {ModelProvider.options.map((one) => (
            <option key={one} value={one}>
              {PROVIDER_NAMES[one]}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

type FieldsProps = { readonly draft: DeploymentDraft; readonly set: Set };

/** What only some providers ask for. */
function ProviderFields({ draft, set }: FieldsProps) {
  const fields = PROVIDER_FIELDS[draft.provider] ?? [];
  if (fields.length === 0) return null;
  return (
    <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
      {fields.map(([field, label, placeholder]) => (
        <TextField key={field} label={label} placeholder={placeholder} value={draft[field]} onValue={set(field)} />
      ))}
    </div>
  );
}

type ProviderField = readonly [field: "apiVersion" | "region" | "project", label: string, placeholder: string];
const REGION: ProviderField = ["region", "Region", "us-east-1"];

const PROVIDER_FIELDS: Partial<Record<ModelProvider, readonly ProviderField[]>> = {
  azure: [["apiVersion", "API version", "2024-10-21"]],
  bedrock: [REGION],
  vertex: [REGION, ["project", "Project", "my-project"]],
};

const MORE = [
  ["weight", "Share of the load", "decimal"],
  ["requestsPerMinute", "Requests a minute", "numeric"],
  ["tokensPerMinute", "Tokens a minute", "numeric"],
  ["contextTokens", "Context, tokens", "numeric"],
  ["inputPrice", "Input, $ per million", "decimal"],
  ["outputPrice", "Output, $ per million", "decimal"],
] as const;

function MoreFields({ draft, set }: FieldsProps) {
  return (
    <details>
      <summary className="w-fit text-ink-2">Load, context size and prices</summary>
      <div className="mt-2 grid grid-cols-3 gap-3 max-md:grid-cols-1">
        {MORE.map(([field, label, inputMode]) => (
          <TextField key={field} label={label} inputMode={inputMode} value={draft[field]} onValue={set(field)} />
        ))}
      </div>
    </details>
  );
}
