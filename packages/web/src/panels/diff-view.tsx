import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { languageSlot, READER } from "./code-theme.ts";
import { lineDifference } from "./line-difference.ts";
import { WORD_MARKS } from "./word-marks.ts";

/** How a difference is laid out. */
export type DiffLayout = "unified" | "split";

type DiffProps = {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly layout: DiffLayout;
};

const COLLAPSE = { margin: 3, minSize: 6 };
const MERGE = {
  collapseUnchanged: COLLAPSE,
  diffConfig: { override: lineDifference },
  highlightChanges: false,
} as const;

/** A file's difference; lines that are the same on both sides are folded away. */
export function DiffView({ path, before, after, layout }: DiffProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return;
    const show = layout === "split" ? showSplit : showUnified;
    return show({ path, before, after }, place.current);
  }, [path, before, after, layout]);
  return <div ref={place} className="h-full min-h-0 overflow-auto [&_.cm-mergeView]:h-full" />;
}

type Texts = Pick<DiffProps, "path" | "before" | "after">;

function showUnified({ path, before, after }: Texts, parent: HTMLElement): () => void {
  const language = languageSlot(path);
  const merge = unifiedMergeView({
    original: before,
    mergeControls: false,
    gutter: true,
    ...MERGE,
  });
  const view = new EditorView({
    doc: after,
    extensions: [READER, EditorView.lineWrapping, language.slot, merge, WORD_MARKS],
    parent,
  });
  language.load(view);
  return () => view.destroy();
}

function showSplit({ path, before, after }: Texts, parent: HTMLElement): () => void {
  const left = languageSlot(path);
  const right = languageSlot(path);
  const view = new MergeView({
    a: { doc: before, extensions: [READER, EditorView.lineWrapping, left.slot, WORD_MARKS] },
    b: { doc: after, extensions: [READER, EditorView.lineWrapping, right.slot, WORD_MARKS] },
    parent,
    ...MERGE,
  });
  left.load(view.a);
  right.load(view.b);
  return () => view.destroy();
}
