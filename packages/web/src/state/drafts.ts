/** A message's text that is not sent yet, kept in this tab. */
export type Draft = { readonly get: () => string; readonly set: (text: string) => void };

/** The draft of one place: a conversation's id, or `new`. */
export function takeDraft(place: string): Draft {
  const key = `handrail.draft.${place}`;
  return {
    get: () => sessionStorage.getItem(key) ?? "",
    set: (text) => (text === "" ? sessionStorage.removeItem(key) : sessionStorage.setItem(key, text)),
  };
}
