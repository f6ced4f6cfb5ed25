/**
 * How a request and its answer are put on the wire. `chat`: OpenAI Chat Completions; `responses`: OpenAI Responses;
 * `messages`: Anthropic Messages; `embeddings`: OpenAI Embeddings.
 */
export type Format = "chat" | "responses" | "messages" | "embeddings";

/** The formats in which a model is talked to. */
export type ChatFormat = Exclude<Format, "embeddings">;

/** Where each format is asked for below the base of an API that speaks it. */
export const PATHS: Readonly<Record<Format, string>> = {
  chat: "/v1/chat/completions",
  responses: "/v1/responses",
  messages: "/v1/messages",
  embeddings: "/v1/embeddings",
};
