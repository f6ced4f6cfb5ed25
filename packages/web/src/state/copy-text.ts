import { showToast } from "./toasts.ts";

/** Puts a text on the clipboard and says so. @throws Error `refused`, where the browser does not let the page do it */
export async function copyText(text: string, done: string, refused: string): Promise<void> {
  // There is no clipboard for pages that came over plain HTTP from another machine.
  const clipboard: Clipboard | undefined = navigator.clipboard;
  try {
    if (clipboard === undefined) throw new Error("There is no clipboard.");
    await clipboard.writeText(text);
  } catch (cause) {
    throw new Error(refused, { cause });
  }
  showToast(done);
}
