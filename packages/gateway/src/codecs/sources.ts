import type { Source } from "./prompt.ts";
import { refuse } from "./refuse.ts";

const DATA_URL = /^data:([^;,]*)(?:;[^;,=]+=[^;,]*)*;base64,/;

/** What a URL is: a `data:` one holds the bytes themselves. */
export function sourceOf(url: string): Source {
  const [head, mediaType] = DATA_URL.exec(url.slice(0, 200)) ?? [];
  if (head === undefined) return { kind: "url", url };
  return { kind: "base64", mediaType: mediaType || "application/octet-stream", data: url.slice(head.length) };
}

/** The other way. @throws AppError `request_unsupported` for a provider's own id */
export function urlOf(source: Source, path: string): string {
  if (source.kind === "url") return source.url;
  if (source.kind === "base64") return `data:${source.mediaType};base64,${source.data}`;
  return refuse(path, "The file is known to another provider only.");
}
