import type { FileChange } from "@handrail/protocol/changes";
import { useMemo } from "react";
import { Empty, Failure } from "../components/empty.tsx";
import { fileText } from "../state/file-text.ts";
import { type DiffLayout, DiffView } from "./diff-view.tsx";

/** A file before and after, base64, as far as it was read; null where it is not there, or is too large to show. */
export type ReadPair = {
  readonly data?: Pair | undefined;
  readonly error: Error | null;
};
type Pair = { readonly before: string | null; readonly after: string | null; readonly binary: boolean };

type DifferenceProps = {
  readonly change: FileChange;
  readonly file: ReadPair;
  readonly layout: DiffLayout;
};

/** The difference of one file, or why it cannot be shown. */
export function FileDifference({ change, file, layout }: DifferenceProps) {
  const { data, error } = file;
  const shown = useMemo(() => (change.binary ? BINARY : data && shownOf(change, data)), [change, data]);
  if (error !== null) return <Failure error={error} />;
  if (shown === undefined) return <Empty>Reading the file.</Empty>;
  if (typeof shown === "string") return <Empty>{shown}</Empty>;
  return (
    <div className="min-h-0 flex-1">
      <DiffView path={change.path} {...shown} layout={layout} />
    </div>
  );
}

const BINARY = "This file is binary; its difference has no lines.";

/** Both texts, or why there is no difference of lines. */
function shownOf(change: FileChange, pair: Pair): { readonly before: string; readonly after: string } | string {
  if (pair.binary) return BINARY;
  if (lacksSide(change, pair)) return "This file is too large to be shown, or gone by now.";
  const [before, after] = [fileText(pair.before ?? ""), fileText(pair.after ?? "")];
  if (before.kind === "binary" || after.kind === "binary") return BINARY;
  return before.text === after.text ? sameText(change, after.text) : { before: before.text, after: after.text };
}

/** Whether a side is missing that was there when the change was found. */
function lacksSide({ status }: FileChange, { before, after }: Pair): boolean {
  if (status === "renamed") return false;
  return (before === null && status !== "added") || (after === null && status !== "deleted");
}

/** Why a changed file has no difference to show. */
function sameText({ status, oldPath }: FileChange, text: string): string {
  if (oldPath !== undefined) return `Renamed from ${oldPath}; its lines are the same.`;
  if (text === "" && status === "added") return "This new file is empty.";
  if (text === "" && status === "deleted") return "This file was empty, and is gone.";
  return "Its lines are the same; its rights or its kind changed.";
}
