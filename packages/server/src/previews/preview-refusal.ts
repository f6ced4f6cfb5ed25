import { STATUS_CODES } from "node:http";

/** Why a preview is not shown, in a sentence of ours. */
export type PreviewRefusal = { readonly status: number; readonly text: string };

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
  "x-content-type-options": "nosniff",
} as const;

const STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem}";

/** A page that says so, in the reader's own colours. */
export function refusalPage({ text }: PreviewRefusal): { readonly headers: typeof HEADERS; readonly html: string } {
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width"><title>Preview</title><style>${STYLE}</style>
<main><h1>No preview</h1><p>${safe}</p></main></html>
`;
  return { headers: HEADERS, html };
}

/** The same as raw HTTP, for a connection that asked for another protocol. */
export function refusalHead({ status, text }: PreviewRefusal): string {
  const body = `${text}\n`;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  );
}
