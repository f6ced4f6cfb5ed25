import { Choices, TextField } from "../../components/field.tsx";
import { type KeyLimitDraft, PERIODS } from "../../state/key-limit-draft.ts";

type KeyLimitFieldsProps = {
  readonly limits: KeyLimitDraft;
  readonly onChange: (part: Partial<KeyLimitDraft>) => void;
};

const COUNTS = [
  ["requestsPerMinute", "Requests a minute"],
  ["tokensPerMinute", "Tokens a minute"],
  ["parallel", "Calls at a time"],
] as const;

/** What a key, a user or a team may use. */
export function KeyLimitFields({ limits, onChange }: KeyLimitFieldsProps) {
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-1 font-semibold">Limits</legend>
      <div className="flex flex-wrap items-end gap-3">
        <TextField
          label="Budget, $"
          inputMode="decimal"
          className="w-32"
          value={limits.budget}
          onValue={(budget) => onChange({ budget })}
        />
        <Choices label="For each" value={limits.period} options={PERIODS} onValue={(period) => onChange({ period })} />
      </div>
      <div className="grid grid-cols-3 gap-3 max-md:grid-cols-1">
        {COUNTS.map(([field, label]) => (
          <TextField
            key={field}
            label={label}
            inputMode="numeric"
            value={limits[field]}
            onValue={(value) => onChange({ [field]: value })}
          />
        ))}
      </div>
      <p className="text-small text-ink-3">Empty means no limit. Days, weeks and months begin at midnight UTC.</p>
    </fieldset>
  );
}
