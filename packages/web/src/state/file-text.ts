import { fromBase64 } from "@handrail/client/output-stream";

/** A file's bytes as a reader can see them. */
export type FileText = { readonly kind: "text"; readonly text: string } | { readonly kind: "binary" };

const LOOKED_AT = 8192;

/** Base64 as text; binary where it has a zero byte early on, as git decides. Bytes that are not UTF-8 become U+FFFD. */
export function fileText(base64: string): FileText {
  const bytes = fromBase64(base64);
  if (bytes.subarray(0, LOOKED_AT).includes(0)) return { kind: "binary" };
  return { kind: "text", text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) };
}
