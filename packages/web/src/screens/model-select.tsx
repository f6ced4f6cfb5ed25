import { Field, INPUT } from "../components/field.tsx";
import { useSettings } from "../state/session-queries.ts";

type ModelSelectProps = {
  readonly model: string;
  readonly hint?: string;
  readonly onModel: (id: string) => void;
};

/** One of the models that the server has. One that is gone is still named, so that what is set is seen. */
export function ModelSelect({ model, hint, onModel }: ModelSelectProps) {
  const models = useSettings().data?.models;
  const known = models?.some(({ id }) => id === model) === true;
  return (
    <Field label="Model" hint={hint}>
      {(id, hintId) => (
        <select
          id={id}
          aria-describedby={hintId}
          className={INPUT}
          value={model}
          onChange={(event) => onModel(event.target.value)}
        >
          {model === "" && <option value="">Choose a model</option>}
          {model !== "" && !known && <option value={model}>{models === undefined ? model : `${model} (gone)`}</option>}
          {models?.map((one) => (
            <option key={one.id} value={one.id}>
              {one.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
