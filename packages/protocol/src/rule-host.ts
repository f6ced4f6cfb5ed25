import { isNeverReached } from "./never-reached.ts";

/**
 * Why a text is no host for a rule, or undefined when it is one: `example.org`, `.example.org` for all hosts below it,
 * `10.1.2.3`, `[fd12::1]`, each with `:PORT` or without. A rule with any other text would allow nothing, and so would one for
 * a host that no sandbox ever reaches.
 */
export function hostProblem(text: string): string | undefined {
  return hostFormProblem(text) ?? reachProblem(text);
}

/** The same, whether or not a sandbox reaches it. */
export function hostFormProblem(text: string): string | undefined {
  if (hostnameOf(text) !== undefined) return undefined;
  if (/^\*\.[^*]+$/.test(text)) return `${shown(text)} is not a host. Write ${text.slice(1)} for every host below it.`;
  if (text.includes("/")) return `${shown(text)} is not a host. Give its name alone, such as api.example.org.`;
  return `${shown(text)} is not a host. Give a name such as api.example.org, or .example.org for every host below it.`;
}

function reachProblem(text: string): string | undefined {
  if (!isNeverReached(hostnameOf(text) ?? "")) return undefined;
  return `${shown(text)} can not be allowed: a sandbox never reaches the server's own machine or a metadata service.`;
}

const shown = (text: string) => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);

const NAME = /^\.?[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*\.?$/u;
const IPV6 = /^\[[0-9a-f:.]*:[0-9a-f:.]*\]$/i;
const EMPTY_PUNYCODE = /(?:^|\.)xn--(?:\.|$)/i;
const ADDRESS = /^\d+(?:\.\d+){3}$/;

/** In the one form that a URL gives it, so that all spellings of an address are one. Undefined: it is no host. */
function hostnameOf(text: string): string | undefined {
  const host = hostPart(text);
  const bare = host.replace(/^\./, "");
  const address = `http://${bare}/`;
  if (bare === "" || !URL.canParse(address)) return undefined;
  const { hostname } = new URL(address);
  return bare !== host && ADDRESS.test(hostname) ? undefined : hostname;
}

/** Without the port; empty where the text has not the form of a host. */
function hostPart(text: string): string {
  const [, host = "", port = "1"] = /^(.*?)(?::(\d{1,5}))?$/su.exec(text) ?? [];
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  return isPort && (IPV6.test(host) || NAME.test(host)) && !EMPTY_PUNYCODE.test(host) ? host : "";
}
