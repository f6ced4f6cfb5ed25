import type { Dialect, HttpCall } from "./dialect.ts";

/** Where a model's requests really go: the gateway, its key, and what it calls the model. */
export type Via = {
  /** Without a path. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
};

/** Where each format is asked for at the gateway. */
const PATHS = { openai: "/v1/chat/completions", anthropic: "/v1/messages" } as const;

/**
 * The same dialect by way of a gateway that speaks its format: the bytes are those for the model's own API, but for the
 * name of the model. Who retries is the caller, so the gateway does not.
 */
export function throughGateway(dialect: Dialect, format: keyof typeof PATHS, own: string, via: Via): Dialect {
  const url = `${via.baseUrl}${PATHS[format]}`;
  const before = `{"model":${JSON.stringify(own)}`;
  const after = `{"model":${JSON.stringify(via.model)}`;
  return {
    ...dialect,
    toHttp(request) {
      const call = dialect.toHttp(request);
      if (!call.body.startsWith(before)) throw new Error("A dialect's body must begin with the model's name.");
      return { url, headers: { ...unsigned(call), ...signed(via) }, body: after + call.body.slice(before.length) };
    },
  };
}

function signed({ apiKey }: Via): Record<string, string> {
  return { authorization: `Bearer ${apiKey}`, "x-litellm-num-retries": "0" };
}

function unsigned({ headers }: HttpCall): Record<string, string> {
  const { authorization: _, "x-api-key": __, ...rest } = headers;
  return rest;
}
