import type { AnswerOf } from "@handrail/client/create-client";
import type { Routes } from "@handrail/protocol/routes";
import { CircleCheck, CircleX } from "lucide-react";
import { formatDuration } from "../state/format.ts";
import { plainText } from "../state/plain-text.ts";

type ResultProps = {
  readonly result: AnswerOf<Routes["testModel"]> | undefined;
  readonly error: Error | null;
};

/** What one real call to the model came to, in words, with the API's own answer. */
export function ModelTestResult({ result, error }: ResultProps) {
  return (
    <div aria-live="polite" className="empty:-mt-3">
      {error !== null && <p className="text-bad">{error.message}</p>}
      {error === null && result !== undefined && <Outcome result={result} />}
    </div>
  );
}

function Outcome({ result }: { readonly result: NonNullable<ResultProps["result"]> }) {
  const Icon = result.ok ? CircleCheck : CircleX;
  return (
    <div className={result.ok ? "text-ok" : "text-bad"}>
      <p className="flex items-start gap-1.5">
        <Icon size={14} aria-hidden className="mt-[3px] shrink-0" />
        <span>
          {result.message} <span className="text-ink-3">{formatDuration(result.latencyMs)}</span>
        </span>
      </p>
      {result.answer !== undefined && (
        <pre className="mt-1 max-h-48 overflow-auto rounded-ui border border-line bg-sunken p-2 font-mono text-small whitespace-pre-wrap text-ink">
          {plainText(result.answer)}
        </pre>
      )}
    </div>
  );
}
