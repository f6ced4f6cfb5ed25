import type { RequestRule } from "./network.ts";
import type { PushRule } from "./secrets.ts";

/** What people type for a host: `api.example.org`, `.example.org`, `api.example.org:8443/v1/**`. Undefined for other text. */
export function requestRuleOf(text: string): RequestRule | undefined {
  const match = /^([^\s:/]+)(?::(\d{1,5}))?(\/\S*)?$/.exec(text);
  const [, host, port, path] = match ?? [];
  if (host === undefined) return undefined;
  return {
    host: host.toLowerCase(),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(path === undefined ? {} : { path }),
  };
}

/** The other way round. */
export function requestRuleText({ host, port, path }: RequestRule): string {
  return `${host}${port === undefined ? "" : `:${port}`}${path ?? ""}`;
}

/** `owner/repo:handrail/*`: the repositories, then the branches between commas. Undefined for other text. */
export function pushRuleOf(text: string): PushRule | undefined {
  const colon = text.indexOf(":");
  const branches = text
    .slice(colon + 1)
    .split(",")
    .filter((branch) => branch !== "");
  if (colon < 1 || branches.length === 0) return undefined;
  return { repository: text.slice(0, colon), branches };
}

/** The other way round; tags are named beside the branches. */
export function pushRuleText({ repository, branches = [], tags = [] }: PushRule): string {
  return `${repository}:${[...branches, ...tags].join(",")}`;
}

/** `Bearer {secret}` is the value of `Authorization`; `X-Api-Key: {secret}` names another header. */
export function headerUseOf(text: string): { readonly header?: string; readonly format: string } {
  const [, header, format] = /^([^\s:{}]+):\s*(.*)$/.exec(text) ?? [];
  return header === undefined || format === undefined ? { format: text } : { header, format };
}
