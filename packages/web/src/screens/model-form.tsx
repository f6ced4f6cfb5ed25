import type { ModelDialect } from "@handrail/protocol/settings";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button } from "../components/button.tsx";
import { Choices, TextField } from "../components/field.tsx";
import { isProblem, type ModelDraft, NEW_MODEL, readModelDraft } from "../state/model-draft.ts";
import { useServices } from "../state/services.ts";
import { showToast } from "../state/toasts.ts";
import { ModelTestResult } from "./model-test-result.tsx";

const DIALECTS: readonly { readonly value: ModelDialect; readonly label: string; readonly example: string }[] = [
  { value: "openai", label: "OpenAI-compatible", example: "http://127.0.0.1:4000/v1" },
  { value: "anthropic", label: "Anthropic", example: "empty for Anthropic's own" },
  { value: "google", label: "Google", example: "empty for Google's own" },
  { value: "bedrock", label: "Bedrock", example: "empty for the region's own" },
];

const KEY_KEPT = "A key is stored. Leave this empty to keep it.";
const KEY_NEW = "Kept encrypted on the server. Empty where none is needed.";

const exampleOf = (dialect: ModelDialect) => DIALECTS.find(({ value }) => value === dialect)?.example ?? "";

type ModelFormProps = { readonly initial?: ModelDraft; readonly hasKey?: boolean; readonly onSaved?: () => void };

/** Sets the model. The test makes one real call and shows what came of it. */
export function ModelForm({ initial = NEW_MODEL, hasKey = false, onSaved }: ModelFormProps) {
  const [draft, setDraft] = useState(initial);
  const [showProblem, setShowProblem] = useState(false);
  const read = readModelDraft(draft);
  const { test, save } = useModelActions(onSaved);
  const set = (field: keyof ModelDraft) => (value: string) => {
    setDraft({ ...draft, [field]: value });
    test.reset();
  };
  const withSetting = (act: typeof test.mutate | typeof save.mutate) => {
    setShowProblem(isProblem(read));
    if (!isProblem(read)) act(read);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    withSetting(save.mutate);
  };
  const problem = showProblem && isProblem(read) ? read.text : null;
  return (
    <form onSubmit={submit} className="flex flex-col gap-3" noValidate>
      <Choices label="API" value={draft.dialect} options={DIALECTS} onValue={set("dialect")} />
      <TextField
        label="Base URL"
        type="url"
        placeholder={exampleOf(draft.dialect)}
        value={draft.baseUrl}
        onValue={set("baseUrl")}
      />
      <TextField
        label="Key"
        type="password"
        hint={hasKey ? KEY_KEPT : KEY_NEW}
        value={draft.apiKey}
        onValue={set("apiKey")}
      />
      <TextField label="Model" placeholder="name as the API knows it" value={draft.model} onValue={set("model")} />
      <MoreFields draft={draft} set={set} />
      <Problem text={problem} />
      <div className="flex gap-2">
        <Button disabled={test.isPending} onClick={() => withSetting(test.mutate)}>
          {test.isPending ? "Waiting for the model" : "Test"}
        </Button>
        <Button tone="primary" type="submit" disabled={save.isPending}>
          Save
        </Button>
      </div>
      <ModelTestResult result={test.data} error={test.error ?? save.error} />
    </form>
  );
}

function Problem({ text }: { readonly text: string | null }) {
  if (text === null) return null;
  return (
    <p role="alert" className="text-bad">
      {text}
    </p>
  );
}

function useModelActions(onSaved: (() => void) | undefined) {
  const { client } = useServices();
  const queries = useQueryClient();
  const test = useMutation({ mutationFn: (body: Setting) => client.testModel({ body }) });
  const save = useMutation({
    mutationFn: (body: Setting) => client.saveModel({ body }),
    onSuccess: async () => {
      showToast("The model is set.");
      await queries.invalidateQueries({ queryKey: ["settings"] });
      onSaved?.();
    },
  });
  return { test, save };
}

type Setting = Exclude<ReturnType<typeof readModelDraft>, { field: unknown }>;

type MoreProps = { readonly draft: ModelDraft; readonly set: (field: keyof ModelDraft) => (value: string) => void };

function MoreFields({ draft, set }: MoreProps) {
  return (
    <details>
      <summary className="w-fit text-ink-2">Context size and prices</summary>
      <div className="mt-2 grid grid-cols-3 gap-3 max-md:grid-cols-1">
        <TextField
          label="Context, tokens"
          inputMode="numeric"
          value={draft.contextTokens}
          onValue={set("contextTokens")}
        />
        <TextField
          label="Input, $ per million"
          inputMode="decimal"
          value={draft.inputPrice}
          onValue={set("inputPrice")}
        />
        <TextField
          label="Output, $ per million"
          inputMode="decimal"
          value={draft.outputPrice}
          onValue={set("outputPrice")}
        />
      </div>
    </details>
  );
}
