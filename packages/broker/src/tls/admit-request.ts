import type { Agent, IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { isDisguised } from "../is-disguised.ts";
import type { Refusal } from "../refusal.ts";
import type { HeldSecret } from "../secrets/held-secret.ts";
import { putSecrets, type WithSecrets } from "../secrets/put-secrets.ts";
import type { OpenedConnection } from "./open-tls.ts";
import { isFor, requestHeaders, splitUrl } from "./request-options.ts";

/** A connection whose requests are seen. `defaultPort` is that of its scheme. */
export type CarriedConnection = Pick<OpenedConnection, "client" | "target" | "check" | "begin" | "report"> & {
  /** Over TLS it is verified; or why there is none. */
  readonly upstream: Socket | Refusal;
  readonly agent: Agent | undefined;
  /** Those that may be put in, as they are now. */
  readonly secrets: () => Promise<readonly HeldSecret[]>;
  readonly defaultPort: 80 | 443;
};

/** A request that may be sent, with its secrets. */
export type Admitted = { readonly rule: string; readonly put: WithSecrets };

/** Checks the request, and puts in the secrets that belong to it. */
export async function admit(connection: CarriedConnection, request: IncomingMessage): Promise<Admitted | Refusal> {
  const { target, upstream, secrets, defaultPort } = connection;
  if ("code" in upstream) return upstream;
  const { method = "", url = "" } = request;
  if (!url.startsWith("/") || !isFor(request.headers.host, target, defaultPort)) return MISDIRECTED;
  const [path, query] = splitUrl(url);
  const disguised = isDisguised(request.headers);
  const decision = await connection.check({ method, path, disguised });
  if ("code" in decision) return decision;
  const headers = requestHeaders(request, target, defaultPort);
  const put = putSecrets(await secrets(), { target, method, path, query: query ?? "", headers, disguised });
  return "code" in put ? put : { rule: decision.rule, put };
}

type Outcome = { readonly rule?: string; readonly refusal?: Refusal | undefined; readonly secrets?: readonly string[] };

/** Writes one request down, with the bytes that went over the connection since it came. */
export type Reporter = {
  /** Before it goes out. Why it may not, where it cannot be written down. */
  readonly begin: (admitted: Admitted) => Refusal | undefined;
  /** Once it is over. */
  readonly finish: (outcome: Outcome) => void;
};

export function reporter({ upstream, begin, report }: CarriedConnection, request: IncomingMessage): Reporter {
  const at = Date.now();
  const count = () => (upstream instanceof Socket ? [upstream.bytesWritten, upstream.bytesRead] : [0, 0]);
  const [up = 0, down = 0] = count();
  const bytes = () => {
    const [upNow = 0, downNow = 0] = count();
    return { bytesUp: upNow - up, bytesDown: downNow - down };
  };
  const [path] = splitUrl(request.url ?? "");
  const head = { at, method: request.method ?? "", path };
  let end = report;
  return {
    begin({ rule, put }) {
      const begun = begin({ ...head, rule, secrets: put.names }, bytes);
      if ("code" in begun) return begun;
      ({ end } = begun);
      return undefined;
    },
    finish: ({ rule, refusal, secrets = [] }) => end({ ...head, rule, reason: refusal?.code, secrets, ...bytes() }),
  };
}

const MISDIRECTED: Refusal = {
  code: "host_mismatch",
  message: "The request is for another host than the connection was made to.",
};
