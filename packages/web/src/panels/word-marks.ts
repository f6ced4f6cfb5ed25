import { getChunks } from "@codemirror/merge";
import { type EditorState, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin } from "@codemirror/view";

const WORD = Decoration.mark({ class: "cm-changedWord" });

/** Marks what changed inside of lines. A line that is new or gone as a whole says so by its colour alone. */
export const WORD_MARKS = ViewPlugin.define(
  (view) => ({
    marks: marksIn(view.state, view.viewport),
    update(update) {
      this.marks = marksIn(update.state, update.view.viewport);
    },
  }),
  {
    provide: (plugin) => EditorView.decorations.of((view) => view.plugin(plugin)?.marks ?? Decoration.none),
  },
);

type Range = { readonly from: number; readonly to: number };

function marksIn(state: EditorState, shown: Range): DecorationSet {
  const marks = new RangeSetBuilder<Decoration>();
  for (const change of changesIn(state)) {
    if (change.from > shown.to || change.to < shown.from) continue;
    for (const part of partsOfLines(state, change)) marks.add(part.from, part.to, WORD);
  }
  return marks.finish();
}

/** What changed in this editor's text, in order. */
function changesIn(state: EditorState): readonly Range[] {
  const found = getChunks(state);
  if (found === null) return [];
  const [from, to] = found.side === "a" ? (["fromA", "toA"] as const) : (["fromB", "toB"] as const);
  return found.chunks.flatMap((chunk) =>
    chunk.changes.map((change) => ({
      from: chunk[from] + change[from],
      to: Math.min(chunk[from] + change[to], state.doc.length),
    })),
  );
}

/** The range cut at line breaks, without lines that it covers whole. */
function* partsOfLines({ doc }: EditorState, { from, to }: Range): Generator<Range> {
  for (let at = from; at < to;) {
    const line = doc.lineAt(at);
    const end = Math.min(to, line.to);
    if (end > at && (at > line.from || end < line.to)) yield { from: at, to: end };
    at = line.to + 1;
  }
}
