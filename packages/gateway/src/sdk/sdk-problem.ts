import { aiSdkError } from "@handrail/models/ai-sdk-error";
import { at, textAt } from "@handrail/models/json";
import { AppError } from "@handrail/protocol/errors";
import { readProblem } from "../codecs/problems.ts";
import type { Problem } from "../codecs/prompt.ts";
import { refuse } from "../codecs/refuse.ts";
import type { LaneCall } from "../ports/lane.ts";
import { headersFor } from "../lanes/headers.ts";

/** A provider's refusal, with what of its headers a client has a use for. */
export type Refused = { readonly problem: Problem; readonly headers: Readonly<Record<string, string>> };

/**
 * What a provider answered, of what an AI SDK provider throws; its classes are told by their fields.
 * @throws AppError for all else that it throws: `request_unsupported`, `model_unreachable`, `model_unauthorized`,
 * `model_stream_broken`
 */
export function refusedOf(thrown: unknown, call: LaneCall): Refused {
  const status = at(thrown, "statusCode");
  if (typeof status === "number" && status >= 300) {
    const headers = at(thrown, "responseHeaders");
    const problem = readProblem(textAt(thrown, "responseBody") || textAt(thrown, "message"), status);
    return { problem, headers: headersFor((headers ?? {}) as Readonly<Record<string, string>>) };
  }
  if (thrown instanceof AppError) throw thrown;
  const functionality = textAt(thrown, "functionality");
  if (functionality !== "") return refuse(functionality);
  throw aiSdkError(thrown, { model: call.model, secrets: secretsOf(call) });
}

function secretsOf({ deployment: { apiKey } }: LaneCall): readonly string[] {
  return apiKey === undefined ? [] : [apiKey, ...apiKey.split(":").filter((part) => part.length >= 8)];
}
