import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import { classNames } from "./class-names.ts";

/** How every place to type looks. */
export const INPUT =
  "w-full rounded-ui border border-line-strong bg-raised px-2.5 py-1 min-h-8 text-ui max-md:min-h-10 max-md:text-[16px]";

type FieldProps = {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly className?: string;
  readonly children: (id: string, hintId: string) => ReactNode;
};

/** A label, a control, and a hint under it. The control takes the ids. */
export function Field({ label, hint, className, children }: FieldProps) {
  const id = useId();
  return (
    <div className={classNames("flex flex-col gap-1", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children(id, `${id}-hint`)}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-small text-ink-3">
          {hint}
        </p>
      )}
    </div>
  );
}

type TextFieldProps = Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value"> & {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly value: string;
  readonly onValue: (value: string) => void;
};

/** A line of text with its label. */
export function TextField({ label, hint, value, onValue, className, ...rest }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} {...(className === undefined ? {} : { className })}>
      {(id, hintId) => (
        <input
          id={id}
          aria-describedby={hintId}
          autoComplete="off"
          spellCheck={false}
          {...rest}
          value={value}
          onChange={(event) => onValue(event.target.value)}
          className={INPUT}
        />
      )}
    </Field>
  );
}

type ChoicesProps<Value extends string> = {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly disabled?: boolean }[];
  readonly onValue: (value: Value) => void;
};

/** One of a few, all in sight. */
export function Choices<Value extends string>({ label, value, options, onValue }: ChoicesProps<Value>) {
  const name = useId();
  return (
    <fieldset>
      <legend className="mb-1 font-medium">{label}</legend>
      <div className="inline-flex flex-wrap rounded-ui border border-line-strong bg-raised p-0.5">
        {options.map((option) => (
          <label
            key={option.value}
            className={classNames(
              "flex min-h-7 cursor-pointer items-center rounded px-2.5 has-focus-visible:outline-2 has-focus-visible:outline-accent max-md:min-h-10",
              option.value === value ? "bg-accent-soft font-medium text-ink" : "text-ink-2",
              option.disabled && "opacity-60",
            )}
          >
            <input
              type="radio"
              name={name}
              className="sr-only"
              checked={option.value === value}
              disabled={option.disabled}
              onChange={() => onValue(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
