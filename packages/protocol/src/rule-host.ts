/**
 * Why a text names no host as rules do, or undefined when it does: `example.org`, `.example.org` for all hosts below it,
 * `10.1.2.3`, `[fd12::1]`, each with `:PORT` or without. A rule with any other text would allow nothing.
 */
export function hostProblem(text: string): string | undefined {
  if (isHost(text)) return undefined;
  const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  if (/^\*\.[^*]+$/.test(text)) return `${shown} is not a host. Write ${text.slice(1)} for every host below it.`;
  if (text.includes("/")) return `${shown} is not a host. Give its name alone, such as api.example.org.`;
  return `${shown} is not a host. Give a name such as api.example.org, or .example.org for every host below it.`;
}

const NAME = /^\.?[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*\.?$/u;
const BELOW_ADDRESS = /^\.\d+(?:\.\d+){3}$/;
const IPV6 = /^\[[0-9a-f:.]*:[0-9a-f:.]*\]$/i;

function isHost(text: string): boolean {
  const [, host = "", port] = /^(.*?)(?::(\d{1,5}))?$/su.exec(text) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  return IPV6.test(host) || (NAME.test(host) && !BELOW_ADDRESS.test(host));
}
