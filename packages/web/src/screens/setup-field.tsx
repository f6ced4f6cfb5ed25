import type { SetupChoice } from "@handrail/protocol/setup";
import { Choices, TextField } from "../components/field.tsx";
import { useSettings } from "../state/session-queries.ts";
import type { DraftProps } from "./source-fields.tsx";

const SETUPS = [
  { value: "repository", label: "The repository's own" },
  { value: "command", label: "This command" },
  { value: "none", label: "None" },
] as const;

const HINTS: Readonly<Record<SetupChoice["type"], string>> = {
  repository: "Runs .handrail/setup.sh before the agent acts, where the repository has it.",
  command: "Run by sh in the new workspace before the agent acts, in place of the repository's own.",
  none: "The agent starts with the files as they are.",
};

/** What is run in the new workspace first. */
export function SetupField({ draft, onChange }: DraftProps) {
  const settings = useSettings().data;
  const backend = draft.backend === "" ? settings?.defaults.backend : draft.backend;
  const hint = backend === "none" && draft.setup === "repository" ? UNISOLATED : HINTS[draft.setup];
  return (
    <div className="flex flex-col gap-2">
      <Choices label="Set-up" value={draft.setup} options={SETUPS} onValue={(setup) => onChange({ setup })} />
      {draft.setup === "command" ? (
        <TextField
          label="Set-up command"
          placeholder="npm ci"
          hint={hint}
          className="[&_input]:font-mono"
          value={draft.setupCommand}
          onValue={(setupCommand) => onChange({ setupCommand })}
        />
      ) : (
        <p className="text-small text-ink-3">{hint}</p>
      )}
    </div>
  );
}

const UNISOLATED =
  "Without isolation the repository's .handrail/setup.sh does not run by itself. Give a command to run one.";
