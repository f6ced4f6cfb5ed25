import type { FileChange } from "@handrail/protocol/changes";
import { classNames } from "./class-names.ts";

const STATUSES: Readonly<
  Record<FileChange["status"], { readonly letter: string; readonly word: string; readonly tone: string }>
> = {
  added: { letter: "A", word: "added", tone: "text-ok" },
  modified: { letter: "M", word: "modified", tone: "text-warn" },
  deleted: { letter: "D", word: "deleted", tone: "text-bad" },
  renamed: { letter: "R", word: "renamed", tone: "text-accent" },
  type: { letter: "T", word: "type changed", tone: "text-warn" },
};

/** What happened to a file: a letter, and the word for who hears it. */
export function ChangeLetter({ status }: Pick<FileChange, "status">) {
  const { letter, word, tone } = STATUSES[status];
  return (
    <span title={word} className={classNames("w-3 shrink-0 font-mono font-semibold", tone)}>
      {letter}
      <span className="sr-only"> {word}</span>
    </span>
  );
}
