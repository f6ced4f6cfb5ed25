import { NetworkPreset } from "@handrail/protocol/network";
import { Choices, TextField } from "../components/field.tsx";
import type { ChangeDraft } from "../state/change-draft.ts";
import { HOSTS_HINT } from "../state/host-texts.ts";
import { PRESET_NAMES } from "../state/describe-settings.ts";

const NETWORKS = [
  { value: "none", label: "None" },
  { value: "chosen", label: "What is chosen" },
  { value: "everything", label: "The whole internet" },
] as const;

const PRESETS = NetworkPreset.options.filter((preset) => preset !== "everything");

type NetworkFieldsProps = {
  readonly draft: Pick<ChangeDraft, "network" | "presets" | "hosts">;
  readonly onChange: (part: Partial<ChangeDraft>) => void;
};

/** What the sandbox may reach. */
export function NetworkFields({ draft, onChange }: NetworkFieldsProps) {
  const { network, presets, hosts } = draft;
  const toggle = (preset: NetworkPreset) =>
    onChange({ presets: PRESETS.filter((one) => presets.includes(one) !== (one === preset)) });
  return (
    <div className="flex flex-col gap-2">
      <div>
        <Choices label="Network" value={network} options={NETWORKS} onValue={(value) => onChange({ network: value })} />
        <p className="mt-1 text-small text-ink-3">
          Holds at once, for new connections. What was refused is shown in the conversation.
        </p>
      </div>
      {network === "chosen" && (
        <>
          <fieldset aria-label="Services that may be reached" className="flex flex-wrap gap-x-4 gap-y-1">
            {PRESETS.map((preset) => (
              <label key={preset} className="flex min-h-7 items-center gap-1.5 max-md:min-h-10">
                <input type="checkbox" checked={presets.includes(preset)} onChange={() => toggle(preset)} />
                {preset === "registries" ? "all package registries" : PRESET_NAMES[preset]}
              </label>
            ))}
          </fieldset>
          <TextField label="Hosts" hint={HOSTS_HINT} value={hosts} onValue={(value) => onChange({ hosts: value })} />
        </>
      )}
    </div>
  );
}
