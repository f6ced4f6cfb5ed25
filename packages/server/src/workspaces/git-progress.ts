const STAGES: Readonly<Record<string, string>> = {
  "Counting objects": "The server counts what to send",
  "Compressing objects": "The server packs what to send",
  "Receiving objects": "Downloading",
  "Resolving deltas": "Unpacking",
  "Updating files": "Writing files",
};

/** Takes git's progress lines and gives sentences for people; says each once. */
export function gitProgress(say: (text: string) => void): (stderr: string) => void {
  let last = "";
  return (stderr) => {
    const line = stderr.split(/[\r\n]+/).findLast((text) => /\d+%/.test(text)) ?? "";
    const [, stage, percent, rest] = /([A-Z][a-z]+ [a-z]+):\s+(\d+)%[^,]*,?\s*([\d.]+ [KMG]iB)?/.exec(line) ?? [];
    const words = STAGES[stage ?? ""];
    if (words === undefined) return;
    const text = `${words}, ${percent}%${rest === undefined ? "" : ` (${rest})`}`;
    if (text !== last) say(text);
    last = text;
  };
}
