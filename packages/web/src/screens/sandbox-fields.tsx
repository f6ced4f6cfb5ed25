import type { SandboxProfile } from "@handrail/protocol/sources";
import { Field, Choices, INPUT, TextField } from "../components/field.tsx";
import { LimitFields } from "../components/limit-fields.tsx";
import { useSettings } from "../state/session-queries.ts";
import { describeLimits, describeNetwork } from "../state/describe-settings.ts";
import { HOSTS_HINT } from "../state/host-texts.ts";
import { profileChoice } from "../state/profile-choice.ts";
import { ModelSelect } from "./model-select.tsx";
import { SetupField } from "./setup-field.tsx";
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
        Model, sandbox, network, set-up and limits{" "}
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
          <ProfileField draft={draft} onChange={onChange} />
        </div>
        <Choices
          label="Network"
          value={draft.network}
          options={NETWORKS}
          onValue={(network) => onChange({ network })}
        />
        {draft.network === "hosts" && (
          <TextField label="Hosts" hint={HOSTS_HINT} value={draft.hosts} onValue={(hosts) => onChange({ hosts })} />
        )}
        <SetupField draft={draft} onChange={onChange} />
        <LimitFields
          legend="Limits of each run"
          hint="An empty one is the server's default."
          limits={draft.runLimits}
          onChange={(part) => onChange({ runLimits: { ...draft.runLimits, ...part } })}
        />
      </div>
    </details>
  );
}

const PROFILES: Readonly<Record<SandboxProfile, string>> = {
  strict: "No network, little memory, few processes: for code that you do not trust at all.",
  default: "What building and testing takes, within the network rule.",
  dev: "Packages can be installed as root of the sandbox, on backends that can hold that.",
};

/** Not shown where there is nothing to choose. */
function ProfileField({ draft, onChange }: DraftProps) {
  const settings = useSettings().data;
  const choice = settings && profileChoice(settings, draft);
  if (choice === undefined || choice.offered.length < 2) return null;
  const { chosen, offered, lackedBy } = choice;
  return (
    <Field label="Profile" hint={lackedBy === undefined ? PROFILES[chosen] : lackingHint(lackedBy.name)}>
      {(id, hintId) => (
        <select
          id={id}
          aria-describedby={hintId}
          className={INPUT}
          value={chosen}
          onChange={(event) => onChange({ profile: offered.find((name) => name === event.target.value) ?? "" })}
        >
          {offered.map((name) => (
            <option key={name} value={name}>
              {name === chosen && lackedBy !== undefined ? `${name}, not with ${lackedBy.name}` : name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

const lackingHint = (backend: string) =>
  `Sandboxes of ${backend} do not have it here. Choose another profile, or another sandbox.`;

function BackendField({ draft, onChange }: DraftProps) {
  const settings = useSettings().data;
  const chosen = draft.backend === "" ? (settings?.defaults.backend ?? "") : draft.backend;
  // What is chosen is shown, also where it does not work.
  const offered = settings?.backends.filter(({ works, name }) => works || name === chosen) ?? [];
  const detail = settings?.backends.find((backend) => backend.name === chosen)?.detail;
  return (
    <Field label="Sandbox" hint={detail}>
      {(id) => (
        <select
          id={id}
          className={INPUT}
          value={chosen}
          onChange={(event) =>
            onChange({ backend: offered.find(({ name }) => name === event.target.value)?.name ?? "" })
          }
        >
          {offered.map(({ name, works }) => (
            <option key={name} value={name}>
              {works ? name : `${name}, does not work now`}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
