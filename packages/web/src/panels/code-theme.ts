import { HighlightStyle, LanguageDescription, syntaxHighlighting } from "@codemirror/language";
import { languages } from "@codemirror/language-data";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { tags } from "@lezer/highlight";

const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--accent)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--warn)" },
  { tag: [tags.comment, tags.meta], color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.typeName, tags.className, tags.tagName], color: "var(--ask)" },
  { tag: tags.heading, fontWeight: "600" },
]);

const THEME = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--raised)", color: "var(--ink)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--ink-3)", borderRight: "1px solid var(--line)" },
  "&.cm-merge-b .cm-changedLine, .cm-insertedLine, .cm-inlineChangedLine": { backgroundColor: "var(--ok-soft)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--bad-soft)" },
  ".cm-changedWord": { boxShadow: "inset 0 -2px color-mix(in oklab, var(--ok) 70%, transparent)" },
  "&.cm-merge-a .cm-changedWord": { boxShadow: "inset 0 -2px color-mix(in oklab, var(--bad) 70%, transparent)" },
  ".cm-collapsedLines": { background: "var(--sunken)", color: "var(--ink-2)", padding: "2px 12px" },
  ".cm-collapsedLines::before, .cm-collapsedLines::after": { content: "none" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)" },
});

/** What every reader of code has: numbers, colours, search, and no way to type. */
export const READER: Extension = [
  lineNumbers(),
  highlightSpecialChars(),
  highlightSelectionMatches(),
  search({ top: true }),
  keymap.of(searchKeymap),
  syntaxHighlighting(HIGHLIGHT),
  THEME,
  EditorState.readOnly.of(true),
  EditorView.contentAttributes.of({ "aria-label": "File contents", tabindex: "0" }),
];

/** A place for a language, filled once it has loaded. */
export function languageSlot(path: string): { readonly slot: Extension; readonly load: (view: EditorView) => void } {
  const compartment = new Compartment();
  const description = LanguageDescription.matchFilename(languages, path.split("/").at(-1) ?? path);
  const load = (view: EditorView) => {
    if (description === null || view.state.doc.length > 1_000_000) return;
    description
      .load()
      .then((support) => view.dispatch({ effects: compartment.reconfigure(support) }))
      .catch(() => {});
  };
  return { slot: compartment.of([]), load };
}
