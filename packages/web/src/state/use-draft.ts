import { useState } from "react";
import { takeDraft } from "./drafts.ts";

/** The text being written in one place, such as a conversation, kept for when the user comes back to it. */
export function useDraft(place: string) {
  const draft = takeDraft(place);
  const [text, setShown] = useState(draft.get);
  const setText = (value: string) => {
    draft.set(value);
    setShown(value);
  };
  return { text, setText, clear: () => setText("") };
}
