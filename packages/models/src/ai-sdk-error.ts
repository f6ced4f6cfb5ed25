import { AppError } from "@handrail/protocol/errors";
import { at, textAt } from "./json.ts";
import { networkError } from "./network-error.ts";
import { providerError, type Source } from "./provider-error.ts";
import { safeText } from "./safe-text.ts";

/** The error for what an AI SDK provider throws. Its classes are told by their fields, so that none has to be loaded. */
export function aiSdkError(thrown: unknown, source: Source): AppError {
  if (thrown instanceof AppError) return thrown;
  const status = at(thrown, "statusCode");
  const url = textAt(thrown, "url");
  if (typeof status === "number" && status >= 300) {
    const headers = new Headers(at(thrown, "responseHeaders") ?? {});
    return providerError({ status, body: textAt(thrown, "responseBody"), headers }, source);
  }
  if (url !== "" && status === undefined) return networkError(thrown, url, source.model);
  return otherError(thrown, source);
}

function otherError(thrown: unknown, { model, secrets }: Source): AppError {
  const said = thrown instanceof Error ? thrown.message : textAt(thrown, "message");
  const unset = thrown instanceof Error && thrown.name.startsWith("AI_Load");
  if (unset) return new AppError("model_unauthorized", safeText(said, secrets), { model });
  const sentence = safeText(`The model's answer broke off: ${said || "no explanation"}`, secrets);
  return new AppError("model_stream_broken", sentence, { model }, { cause: thrown });
}
