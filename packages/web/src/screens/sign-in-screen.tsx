import { type FormEvent, useState } from "react";
import { Button } from "../components/button.tsx";
import { TextField } from "../components/field.tsx";

type SignInProps = { readonly problem: string | null; readonly onToken: (token: string) => void };

/** Asks for the token that the server printed. */
export function SignInScreen({ problem, onToken }: SignInProps) {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const token = tokenIn(text);
    if (token !== "") onToken(token);
  };
  return (
    <main className="mx-auto flex h-full max-w-md flex-col justify-center gap-4 p-4">
      <h1 className="text-title font-semibold">Sign in to Handrail</h1>
      {problem !== null && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
      <p className="text-ink-2">
        Open the URL that the server printed when it started, or paste it here. Its token works once; a new one is
        printed by <code className="font-mono">npx handrail open</code> or the next start.
      </p>
      <form onSubmit={submit} className="flex items-end gap-2">
        <TextField label="URL or token" value={text} onValue={setText} className="flex-1" />
        <Button tone="primary" type="submit">
          Sign in
        </Button>
      </form>
    </main>
  );
}

/** The token in a pasted URL, or the text itself. */
function tokenIn(text: string): string {
  const trimmed = text.trim();
  return (URL.canParse(trimmed) ? new URL(trimmed).searchParams.get("token") : null) ?? trimmed;
}
