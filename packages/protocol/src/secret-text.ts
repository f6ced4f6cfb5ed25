import type { RequestRule } from "./network.ts";
import type { PushRule } from "./secrets.ts";

/**
 * What people type for a kind of request: `api.example.org`, `.example.org`, `api.example.org:8443/v1/**`, with methods
 * before it `GET,HEAD api.example.org`. Undefined for other text.
 */
export function requestRuleOf(text: string): RequestRule | undefined {
  const match = /^(?:([A-Z]{1,20}(?:,[A-Z]{1,20})*)\s+)?(\[[^\]\s]*\]|[^\s:/[\]]+)(?::(\d{1,5}))?(\/\S*)?$/.exec(text);
  const [, methods, host, port, path] = match ?? [];
  if (host === undefined || (port !== undefined && !isPort(Number(port)))) return undefined;
  return {
    host: host.toLowerCase(),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(methods === undefined ? {} : { methods: methods.split(",") }),
    ...(path === undefined ? {} : { path }),
  };
}

const isPort = (port: number) => port >= 1 && port <= 65_535;

/**
 * Several, separated by spaces, or by commas where no path is before them. Undefined stands for each text that names no
 * host.
 */
export function requestRulesOf(text: string): readonly (RequestRule | undefined)[] {
  const words = text
    .split(/\s+/)
    .flatMap((word) => (isMethods(word) || word.includes("/") ? [word] : word.split(",")))
    .filter(Boolean);
  return words.flatMap((word, index) => {
    const [before = "", next = ""] = [words[index - 1], words[index + 1]];
    if (isMethods(word)) return next === "" || isMethods(next) ? [undefined] : [];
    return [requestRuleOf(isMethods(before) ? `${before} ${word}` : word)];
  });
}

const isMethods = (word: string) => /^[A-Z]{1,20}(?:,[A-Z]{1,20})*$/.test(word);

/** The other way round. */
export function requestRuleText({ host, port, methods, path }: RequestRule): string {
  return `${methods === undefined ? "" : `${methods.join(",")} `}${host}${port === undefined ? "" : `:${port}`}${path ?? ""}`;
}

const TAG = "refs/tags/";

/**
 * `owner/repo:handrail/*,refs/tags/v*`: the repositories, then branches and tags between commas. Undefined for other
 * text.
 */
export function pushRuleOf(text: string): PushRule | undefined {
  const colon = text.indexOf(":");
  const names = text
    .slice(colon + 1)
    .split(",")
    .filter((name) => name !== "" && name !== TAG);
  if (colon < 1 || names.length === 0) return undefined;
  const branches = names.filter((name) => !name.startsWith(TAG));
  const tags = names.filter((name) => name.startsWith(TAG)).map((name) => name.slice(TAG.length));
  return {
    repository: text.slice(0, colon),
    ...(branches.length === 0 ? {} : { branches }),
    ...(tags.length === 0 ? {} : { tags }),
  };
}

/** The other way round. Whether they may be deleted is not in it. */
export function pushRuleText({ repository, branches = [], tags = [] }: PushRule): string {
  return `${repository}:${[...branches, ...tags.map((tag) => `${TAG}${tag}`)].join(",")}`;
}

/** `Bearer {secret}` is the value of `Authorization`; `X-Api-Key: {secret}` names another header. */
export function headerUseOf(text: string): { readonly header?: string; readonly format: string } {
  const [, header, format] = /^([^\s:{}]+):\s*(.*)$/.exec(text) ?? [];
  return header === undefined || format === undefined ? { format: text } : { header, format };
}
