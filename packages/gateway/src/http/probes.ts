import type { ServerResponse } from "node:http";
import type { Books } from "../ports/books.ts";
import { sendJson } from "./send-json.ts";

export type Probing = {
  readonly books: Pick<Books, "trouble">;
  readonly metrics: (() => Promise<{ readonly contentType: string; readonly body: string }>) | undefined;
  readonly readiness: (() => Readonly<Record<string, string>>) | undefined;
  readonly response: ServerResponse;
};

/** Health and metrics. Nothing here asks a provider. Never rejects. */
export async function answerProbe(kind: "alive" | "ready" | "metrics", probing: Probing): Promise<void> {
  const { books, metrics, readiness, response } = probing;
  if (kind === "alive") return sendJson(response, 200, { body: `"I'm alive!"`, headers: JSON_TYPE });
  if (kind === "ready") return sendReady(response, books.trouble(), readiness?.());
  try {
    const { contentType, body } = (await metrics?.()) ?? { contentType: "text/plain", body: "" };
    sendJson(response, 200, { body, headers: { "content-type": contentType } });
  } catch {
    sendJson(response, 500, { body: "The metrics cannot be read." });
  }
}

const JSON_TYPE = { "content-type": "application/json" };

/** In LiteLLM's words. */
function sendReady(
  response: ServerResponse,
  trouble: string | undefined,
  more: Readonly<Record<string, string>> = {},
): void {
  const body =
    trouble === undefined
      ? { status: "healthy", db: "connected", ...more }
      : { status: "unhealthy", db: "Not connected", ...more, detail: trouble };
  sendJson(response, trouble === undefined ? 200 : 503, { body });
}
