import { toAppError } from "@handrail/protocol/errors";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "../components/button.tsx";
import { Failure } from "../components/empty.tsx";
import { useConnection, useServices } from "../state/services.ts";
import { sessionQuery } from "../state/session-queries.ts";
import { takeToken } from "../state/take-token.ts";
import { SignInScreen } from "./sign-in-screen.tsx";

/** Shows its children to a signed-in user. A token in the URL is traded for a session first, and taken out of it. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const { client } = useServices();
  const [token, setToken] = useState(takeToken);
  const [problem, setProblem] = useState<string | null>(null);
  const sent = useRef<string | null>(null);
  useEffect(() => {
    // A token works once, and React may run an effect twice.
    if (token === null || sent.current === token) return;
    sent.current = token;
    client
      .signIn({ body: { token } })
      .catch((error: unknown) => setProblem(toAppError(error).message))
      .finally(() => setToken(null));
  }, [client, token]);
  const session = useQuery({ ...sessionQuery(client), enabled: token === null });
  const expired = useConnection().status === "signedOut";
  if (session.isPending) return <p className="p-4 text-ink-2">Connecting to Handrail.</p>;
  if (session.isLoadingError && !isSignedOut(session.error)) {
    return (
      <main className="mx-auto flex max-w-md flex-col p-4 pt-16">
        <h1 className="px-4 text-title font-semibold">Handrail cannot be reached</h1>
        <Failure error={session.error}>
          <Button onClick={() => location.reload()}>Try again</Button>
        </Failure>
      </main>
    );
  }
  if ((session.isError && isSignedOut(session.error)) || expired)
    return <SignInScreen problem={problem} onToken={setToken} />;
  return children;
}

const isSignedOut = (error: unknown) => ["not_signed_in", "token_used"].includes(toAppError(error).code);
