import { type Answer, pieces } from "./answer.ts";
import { dataEvent, inputOf, type WireFormat } from "./wire-format.ts";

/** Google's `generateContent` and `streamGenerateContent?alt=sse` (ai.google.dev/api/generate-content), also of Vertex. */
export const googleFormat: WireFormat = {
  events(answer) {
    const parts = streamedParts(answer);
    const last = parts.length - 1;
    return parts.map((part, index) => dataEvent(response(answer, [part], index === last)));
  },
  whole: (answer) => response(answer, wholeParts(answer), true),
  error: googleError,
  errorEvent: (message) => dataEvent(googleError(503, message)),
};

/** What scripted reasoning carries; a client has to send it back unchanged. */
const SIGNATURE = "c2NyaXB0ZWQtdGhvdWdodC1zaWduYXR1cmU=";

const FINISH = { stop: "STOP", calls: "STOP", length: "MAX_TOKENS", refusal: "SAFETY" } as const;

function streamedParts(answer: Answer): readonly object[] {
  const parts = [
    ...pieces(answer.reasoning, answer.chunkSize).map((text) => ({ text, thought: true })),
    ...pieces(answer.text, answer.chunkSize).map((text) => ({ text })),
    ...callParts(answer),
  ];
  return parts.length > 0 ? parts : [{ text: "" }];
}

function wholeParts(answer: Answer): readonly object[] {
  return [
    ...(answer.reasoning === "" ? [] : [{ text: answer.reasoning, thought: true }]),
    ...(answer.text === "" ? [] : [{ text: answer.text }]),
    ...callParts(answer),
  ];
}

/** As Gemini does, the first call of a turn carries the thought's signature. */
function callParts(answer: Answer): readonly object[] {
  return answer.calls.map((call, index) => ({
    functionCall: { name: call.tool, args: inputOf(call.arguments) },
    ...(index === 0 && answer.reasoning !== "" ? { thoughtSignature: SIGNATURE } : {}),
  }));
}

function response(answer: Answer, parts: readonly object[], last: boolean): object {
  const finish = last ? { finishReason: FINISH[answer.finish] } : {};
  return {
    candidates: [{ content: { parts, role: "model" }, index: 0, ...finish }],
    usageMetadata: usage(answer),
    modelVersion: answer.model,
    responseId: answer.id,
  };
}

/** Here the answer's tokens leave out those of thoughts. */
function usage({ usage }: Answer): object {
  return {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: usage.outputTokens - usage.reasoningTokens,
    totalTokenCount: usage.inputTokens + usage.outputTokens,
    ...(usage.cacheReadTokens === 0 ? {} : { cachedContentTokenCount: usage.cacheReadTokens }),
    ...(usage.reasoningTokens === 0 ? {} : { thoughtsTokenCount: usage.reasoningTokens }),
    ...audioOf("promptTokensDetails", usage.inputTokens, usage.inputAudioTokens),
    ...audioOf("candidatesTokensDetails", usage.outputTokens - usage.reasoningTokens, usage.outputAudioTokens),
  };
}

function audioOf(name: string, all: number, audio: number): object {
  if (audio === 0) return {};
  return {
    [name]: [
      { modality: "TEXT", tokenCount: all - audio },
      { modality: "AUDIO", tokenCount: audio },
    ],
  };
}

/** An error's body in Google's APIs (google.aip.dev/193). */
export function googleError(status: number, message: string): object {
  return { error: { code: status, message, status: STATUSES[status] ?? "INTERNAL" } };
}

const STATUSES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};
