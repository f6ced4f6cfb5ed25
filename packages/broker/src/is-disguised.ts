import type { IncomingHttpHeaders } from "node:http";

/** Headers by which frameworks and servers take a request for one of another method or path. */
const OVERRIDING: ReadonlySet<string> = new Set([
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-uri",
  "x-original-url",
  "x-rewrite-url",
]);

/** Whether who is asked may see another method or path than the request begins with. Many servers take `_` and `-` for one. */
export function isDisguised(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => OVERRIDING.has(name.replaceAll("_", "-")));
}
