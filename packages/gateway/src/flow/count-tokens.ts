import type { IncomingMessage, ServerResponse } from "node:http";
import { authenticate } from "../auth/authenticate.ts";
import { readBody, ClientLeft } from "../http/read-body.ts";
import { refusalOf } from "../http/refusal.ts";
import { sendJson } from "../http/send-json.ts";
import { toAppError } from "@handrail/protocol/errors";
import { droppedFields } from "../lanes/dropped-fields.ts";
import type { Deployment } from "../ports/deployment.ts";
import type { LaneCall } from "../ports/lane.ts";
import { type Asked, readAsked } from "../request/asked.ts";
import { editBody } from "../request/edit-body.ts";
import { formatsOf } from "../upstream/formats-of.ts";
import type { Core } from "./core.ts";
import { promptGuess } from "./estimate.ts";
import { redacted } from "./redacted.ts";
import { permitted } from "./run-call.ts";

export type Counting = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly format: "messages";
  readonly route: string;
};

const TIMEOUT_MS = 30_000;

/**
 * How many tokens a prompt has, as the provider says, which costs nothing; else as they are counted from its bytes, which a header
 * says. Never rejects.
 */
export async function countTokens(core: Core, { request, response, format, route }: Counting): Promise<void> {
  try {
    const caller = await authenticate(core, request, core.now());
    const bytes = await readBody(request, { maxBytes: core.limits.maxBodyBytes, timeoutMs: core.limits.bodyTimeoutMs });
    const body = redacted(core, response, bytes);
    const asked = readAsked({ format, headers: request.headers, body });
    const group = permitted(core, caller, asked.model);
    const place = group.deployments.find((deployment) => formatsOf(deployment).includes("messages"));
    if (place && (await countedThere(core, asked, { place, response }))) return;
    const body_ = { input_tokens: promptGuess(asked) };
    sendJson(response, 200, { body: body_, headers: { "x-handrail-estimated": "true" } });
  } catch (thrown) {
    if (thrown instanceof ClientLeft) return;
    const error = toAppError(thrown);
    const { status, headers, body } = refusalOf(error, format);
    core.observer.refused?.({ status, code: error.code, route });
    sendJson(response, status, { body, headers: request.complete ? headers : { ...headers, connection: "close" } });
  }
}

/** False when the provider did not count: not all that speak Messages do. */
async function countedThere(
  core: Core,
  asked: Asked,
  { place, response }: { readonly place: Deployment; readonly response: ServerResponse },
): Promise<boolean> {
  const { format, parsed, headers } = asked;
  const call: LaneCall = {
    callId: "",
    deployment: place,
    model: place.model,
    format,
    streamed: false,
    body: asked.body,
    parsed,
    headers,
  };
  const body = editBody(asked.body, { set: { model: JSON.stringify(place.model) }, drop: droppedFields(call) });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const received = await core.send({ call, format, streamed: false, body, subpath: "/count_tokens" }, signal);
    const parts = await Array.fromAsync(received.body);
    if (received.status !== 200) return false;
    sendJson(response, 200, {
      body: Buffer.concat(parts).toString("utf8"),
      headers: { "content-type": "application/json" },
    });
    return true;
  } catch {
    return false;
  }
}
