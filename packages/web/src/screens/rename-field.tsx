import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { INPUT } from "../components/field.tsx";
import { useServices } from "../state/services.ts";
import { showError } from "../state/toasts.ts";

type RenameProps = {
  readonly row: { readonly id: string; readonly title: string };
  /** `back`: the focus goes where it came from. */
  readonly onDone: (back: boolean) => void;
};

/** A title being changed in its place. Enter keeps it, Escape and leaving it do not. */
export function RenameField({ row, onDone }: RenameProps) {
  const { client } = useServices();
  const [title, setTitle] = useState(row.title);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onDone(true);
    const trimmed = title.trim();
    if (trimmed === "" || trimmed === row.title) return;
    client.changeConversation({ params: { id: row.id }, body: { title: trimmed } }).catch(showError);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    // The key is spent: it does not ask to stop a run too.
    event.preventDefault();
    onDone(true);
  };
  return (
    <form onSubmit={submit} className="p-1">
      <input
        ref={input}
        aria-label="Title"
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        onBlur={() => onDone(false)}
        onKeyDown={onKeyDown}
        className={INPUT}
      />
    </form>
  );
}
