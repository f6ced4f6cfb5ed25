import { Field, Choices, INPUT, TextField } from "../components/field.tsx";
import { LimitFields } from "../components/limit-fields.tsx";
import { useSettings } from "../state/session-queries.ts";
import { describeLimits, describeNetwork } from "../state/describe-settings.ts";
import { ModelSelect } from "./model-select.tsx";
import type { DraftProps } from "./source-fields.tsx";

const NETWORKS = [
  { value: "default", label: "Default" },
  { value: "none", label: "None" },
  { value: "registries", label: "Registries and git" },
  { value: "hosts", label: "These hosts too" },
] as const;

/** Where it runs, what it may reach, and what it may use. */
export function SandboxFields({ draft, onChange }: DraftProps) {
  const settings = useSettings().data;
  return (
    <details className="rounded-ui border border-line p-3">
      <summary className="w-fit font-medium">
        Model, sandbox, network and limits{" "}
        {settings && (
          <span className="font-normal text-ink-3">
            · {describeNetwork(settings.defaults.network)} · {describeLimits(settings.defaults.runLimits)}
          </span>
        )}
      </summary>
      <div className="mt-3 flex flex-col gap-3">
        <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
          <ModelSelect
            model={draft.model === "" ? (settings?.defaults.model ?? "") : draft.model}
            onModel={(model) => onChange({ model })}
          />
          <BackendField draft={draft} onChange={onChange} />
        </div>
        <Choices
          label="Network"
          value={draft.network}
          options={NETWORKS}
          onValue={(network) => onChange({ network })}
        />
        {draft.network === "hosts" && (
          <TextField
            label="Hosts"
            hint="Separated by spaces. A leading dot allows every host below: .example.org"
            value={draft.hosts}
            onValue={(hosts) => onChange({ hosts })}
          />
        )}
        <LimitFields
          legend="Limits of each run"
          hint="All four empty: the server's defaults. Else an empty one is no limit."
          limits={draft.runLimits}
          onChange={(part) => onChange({ runLimits: { ...draft.runLimits, ...part } })}
        />
      </div>
    </details>
  );
}

function BackendField({ draft, onChange }: DraftProps) {
  const settings = useSettings().data;
  const working = settings?.backends.filter((backend) => backend.works) ?? [];
  const chosen = draft.backend === "" ? (settings?.defaults.backend ?? "") : draft.backend;
  const detail = settings?.backends.find((backend) => backend.name === chosen)?.detail;
  return (
    <Field label="Sandbox" hint={detail}>
      {(id) => (
        <select
          id={id}
          className={INPUT}
          value={chosen}
          onChange={(event) =>
            onChange({ backend: working.find(({ name }) => name === event.target.value)?.name ?? "" })
          }
        >
          {working.map((backend) => (
            <option key={backend.name} value={backend.name}>
              {backend.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
