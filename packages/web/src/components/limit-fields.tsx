import type { LimitDraft } from "../state/limit-draft.ts";
import { TextField } from "./field.tsx";

type LimitFieldsProps = {
  readonly legend: string;
  readonly hint: string;
  readonly limits: LimitDraft;
  readonly onChange: (part: Partial<LimitDraft>) => void;
};

const FIELDS = [
  { name: "maxCostUsd", label: "Cost limit, $", inputMode: "decimal" },
  { name: "maxSteps", label: "Step limit", inputMode: "numeric" },
  { name: "maxTokens", label: "Token limit", inputMode: "numeric" },
  { name: "maxMinutes", label: "Time limit, minutes", inputMode: "decimal" },
] as const;

/** What may be used, by kind. */
export function LimitFields({ legend, hint, limits, onChange }: LimitFieldsProps) {
  return (
    <fieldset>
      <legend className="mb-1 font-semibold">{legend}</legend>
      <div className="grid grid-cols-4 gap-3 max-md:grid-cols-2">
        {FIELDS.map(({ name, label, inputMode }) => (
          <TextField
            key={name}
            label={label}
            inputMode={inputMode}
            value={limits[name]}
            onValue={(value) => onChange({ [name]: value })}
          />
        ))}
      </div>
      <p className="mt-1 text-small text-ink-3">{hint}</p>
    </fieldset>
  );
}
