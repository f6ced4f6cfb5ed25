import type { FileChange } from "@handrail/protocol/changes";
import { type LeftOutFiles, leftOutText } from "@handrail/protocol/left-out-files";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ChangeLetter } from "../components/change-letter.tsx";
import { classNames } from "../components/class-names.ts";
import { Empty, Failure } from "../components/empty.tsx";
import { Choices } from "../components/field.tsx";
import { type ChangeSize, changeSize } from "../state/change-size.ts";
import { plural } from "../state/format.ts";
import { useServices } from "../state/services.ts";
import { ChangedFile } from "./changed-file.tsx";
import type { DiffLayout } from "./diff-view.tsx";
import type { PanelProps } from "./panel-zone.tsx";
import { changesQuery } from "./query-workspace.ts";

const LAYOUTS = [
  { value: "unified", label: "Unified" },
  { value: "split", label: "Split" },
] as const;

/** Every file that differs from the start, and the difference of one of them. */
export function ChangesPanel({ conversationId, view, place, go }: PanelProps) {
  const { client } = useServices();
  const [layout, setLayout] = useState<DiffLayout>("unified");
  const changes = useQuery(changesQuery(client, conversationId, view.files.seq));
  if (changes.isError && view.files.changes.length === 0) return <Failure error={changes.error} />;
  const list = changes.data?.changes ?? view.files.changes;
  const file = list.find((change) => change.path === place.file) ?? list[0];
  if (file === undefined) return <NoChanges waiting={changes.isPending} answer={changes.data} />;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <ChangesHeader count={list.length} live={changes.data?.live !== false} layout={layout} onLayout={setLayout} />
      <LeftOut answer={changes.data} />
      <ul
        aria-label="Changed files"
        className="max-h-[30%] shrink-0 overflow-y-auto border-y border-line bg-sunken py-1"
      >
        {list.map((change) => (
          <li key={change.path}>
            <ChangeLine
              change={change}
              current={change === file}
              onChoose={() => go({ panel: "changes", file: change.path })}
            />
          </li>
        ))}
      </ul>
      <ChangedFile key={file.path} conversationId={conversationId} change={file} seq={view.files.seq} layout={layout} />
    </div>
  );
}

type Answer = { readonly leftOut?: LeftOutFiles | undefined } | undefined;

/** What is not compared, and why. */
function LeftOut({ answer }: { readonly answer: Answer }) {
  if (answer?.leftOut === undefined) return null;
  return <p className="px-3 pb-1.5 text-small [overflow-wrap:anywhere] text-ink-2">{leftOutText(answer.leftOut)}</p>;
}

function NoChanges({ waiting, answer }: { readonly waiting: boolean; readonly answer: Answer }) {
  if (waiting) return <Empty>Reading the changes.</Empty>;
  if (answer?.leftOut !== undefined)
    return <Empty>No file that is compared is changed. {leftOutText(answer.leftOut)}</Empty>;
  return <Empty>Nothing is changed yet. Files that the agent edits appear here with their difference.</Empty>;
}

type HeaderProps = {
  readonly count: number;
  readonly live: boolean;
  readonly layout: DiffLayout;
  readonly onLayout: (layout: DiffLayout) => void;
};

function ChangesHeader({ count, live, layout, onLayout }: HeaderProps) {
  return (
    <div className="flex items-center gap-3 px-3 py-1.5">
      <span className="min-w-0 flex-1 truncate text-ink-2">
        {plural(count, "file")} changed{!live && ", as of the last checkpoint"}
      </span>
      <span className="[&_legend]:sr-only">
        <Choices label="Layout of the difference" value={layout} options={LAYOUTS} onValue={onLayout} />
      </span>
    </div>
  );
}

type LineProps = { readonly change: FileChange; readonly current: boolean; readonly onChoose: () => void };

function ChangeLine({ change, current, onChoose }: LineProps) {
  return (
    <button
      type="button"
      aria-current={current}
      onClick={onChoose}
      className={classNames(
        "inset-focus flex min-h-7 w-full items-center gap-2 px-3 text-left max-md:min-h-10",
        current ? "bg-accent-soft" : "hover:bg-hover",
      )}
    >
      <ChangeLetter status={change.status} />
      <span className="min-w-0 flex-1 truncate font-mono" title={change.path}>
        {change.oldPath !== undefined && <span className="text-ink-3">{change.oldPath} → </span>}
        {change.path}
      </span>
      <Size size={changeSize(change)} />
    </button>
  );
}

function Size({ size }: { readonly size: ChangeSize }) {
  if (typeof size === "string") return <span className="shrink-0 text-small text-ink-3">{size}</span>;
  return (
    <span className="shrink-0 text-small tabular-nums">
      <span className="text-ok">+{size.added}</span> <span className="text-bad">−{size.removed}</span>
    </span>
  );
}
