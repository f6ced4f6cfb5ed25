import { type FormEvent, useEffect, useRef, useState } from "react";
import { INPUT } from "../components/field.tsx";
import { useServices } from "../state/services.ts";
import { showError } from "../state/toasts.ts";

type RenameProps = { readonly row: { readonly id: string; readonly title: string }; readonly onDone: () => void };

/** A title being changed in its place. Enter keeps it, Escape and leaving it do not. */
export function RenameField({ row, onDone }: RenameProps) {
  const { client } = useServices();
  const [title, setTitle] = useState(row.title);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onDone();
    const trimmed = title.trim();
    if (trimmed === "" || trimmed === row.title) return;
    client.changeConversation({ params: { id: row.id }, body: { title: trimmed } }).catch(showError);
  };
  return (
    <form onSubmit={submit} className="p-1">
      <input
        ref={input}
        aria-label="Title"
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        onBlur={onDone}
        onKeyDown={(event) => event.key === "Escape" && onDone()}
        className={INPUT}
      />
    </form>
  );
}
