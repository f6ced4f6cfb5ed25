/** Files over this are not looked through for something similar. 4 MiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A sentence on why text that a reader believed to see is not in a file, with what comes closest. */
export function nearMatch(bytes: Buffer, oldText: string): string {
  const not = "The old text is not in the file";
  if (bytes.length > MAX_BYTES) return `${not}. Read that part of it again.`;
  const text = bytes.toString();
  const spaced = lineIgnoringSpace(text, oldText);
  if (spaced !== undefined) return `${not} as given: it occurs with other whitespace at line ${spaced}. Read it again.`;
  const [first = ""] = oldText.trim().split(/\r?\n/);
  const line = first === "" ? undefined : lineIgnoringSpace(text, first);
  if (line !== undefined) return `${not}: its first line is at line ${line}, but what follows differs. Read it again.`;
  return `${not}. Read the file again, and copy the text exactly.`;
}

/** The line, from 1, where a text begins when whitespace does not count. */
function lineIgnoringSpace(text: string, wanted: string): number | undefined {
  const squeezed = wanted.replaceAll(/\s+/g, "");
  if (squeezed === "") return undefined;
  let index = text.replaceAll(/\s+/g, "").indexOf(squeezed);
  if (index < 0) return undefined;
  let line = 1;
  for (const piece of text.split("\n")) {
    const length = piece.replaceAll(/\s+/g, "").length;
    if (index < length) return line;
    index -= length;
    line++;
  }
  return undefined;
}
