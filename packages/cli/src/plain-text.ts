// ECMA-48: control sequences (§5.4), control strings (§5.6: OSC, DCS, APC, PM, SOS), other escape sequences.
const SEQUENCES =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]/g;
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text from a model, a tool or a repository, made safe for a terminal: without escape sequences, control characters
 * other than tab and line feed, and marks that turn the direction of writing. CR LF becomes LF.
 */
export function plainText(text: string): string {
  return text.replaceAll(SEQUENCES, "").replaceAll("\r\n", "\n").replaceAll(CONTROLS, "");
}

/** The same in one line of at most `max` characters, white space folded; what is cut off shows as `…`. */
export function plainLine(text: string, max: number): string {
  const line = plainText(text.slice(0, max * 16))
    .replaceAll(/\s+/g, " ")
    .trim();
  const characters = Array.from(line);
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join("")}…`;
}
