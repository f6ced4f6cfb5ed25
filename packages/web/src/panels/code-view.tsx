import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { languageSlot, READER } from "./code-theme.ts";

/** A file to read. */
export function CodeView({ path, text }: { readonly path: string; readonly text: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return;
    const language = languageSlot(path);
    const view = new EditorView({ doc: text, extensions: [READER, language.slot], parent: place.current });
    language.load(view);
    return () => view.destroy();
  }, [path, text]);
  return <div ref={place} className="h-full min-h-0 overflow-hidden" />;
}
