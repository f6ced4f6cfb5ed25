import { Button } from "./button.tsx";

type FormEndProps = {
  /** What is wrong; null when nothing is known to be. */
  readonly problem: string | null;
  readonly busy: boolean;
  readonly action: string;
  readonly onCancel: () => void;
};

/** The end of a form in a dialog: what is wrong, and the two ways out. */
export function FormEnd({ problem, busy, action, onCancel }: FormEndProps) {
  return (
    <>
      {problem !== null && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button tone="primary" type="submit" disabled={busy}>
          {busy ? "Saving" : action}
        </Button>
      </div>
    </>
  );
}
