import type { Deployment } from "../ports/deployment.ts";
import { type Format, PATHS } from "../ports/format.ts";
import type { LaneAnswer, LaneCall } from "../ports/lane.ts";
import type { Send } from "../ports/send.ts";

/** Sends with `fetch` to the deployment's base URL. */
export const fetchSend: Send = async ({ call, format, body, subpath = "" }, signal) => {
  const url = new URL(PATHS[format] + subpath, call.deployment.baseUrl);
  const headers = { "content-type": "application/json", ...call.headers };
  const answer = await fetch(url, { method: "POST", headers, body: Buffer.from(body), signal });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: chunks(answer) };
};

async function* chunks(answer: Response): AsyncGenerator<Uint8Array> {
  if (answer.body) yield* answer.body;
}

/** A call of a format at a deployment. */
export function laneCall(format: Format, parsed: Record<string, unknown>, deployment: Partial<Deployment>): LaneCall {
  return {
    callId: "call1",
    deployment: { id: "d", name: "n", provider: "openai_compatible", model: "m", ...deployment },
    model: deployment.model ?? "m",
    format,
    streamed: parsed["stream"] === true,
    body: Buffer.from(JSON.stringify(parsed)),
    parsed,
    headers: {},
  };
}

/** An answer's body piece by piece; a whole one is one piece. */
export async function* piecesOf({ body }: LaneAnswer): AsyncGenerator<Uint8Array> {
  if (Buffer.isBuffer(body)) yield body;
  else yield* body;
}

/** All of an answer's body as text. */
export async function bodyOf(answer: LaneAnswer): Promise<string> {
  return Buffer.concat(await Array.fromAsync(piecesOf(answer))).toString("utf8");
}
