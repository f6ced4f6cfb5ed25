import type { Agent, IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Refusal } from "../refusal.ts";
import type { HeldSecret } from "../secrets/held-secret.ts";
import { putSecrets, type WithSecrets } from "../secrets/put-secrets.ts";
import type { OpenedConnection } from "./open-tls.ts";
import { isFor, requestHeaders, splitUrl } from "./request-options.ts";

/** A connection whose requests are seen. `defaultPort` is that of its scheme. */
export type CarriedConnection = Pick<OpenedConnection, "client" | "target" | "check" | "report"> & {
  /** Over TLS it is verified; or why there is none. */
  readonly upstream: Socket | Refusal;
  readonly agent: Agent | undefined;
  readonly secrets: readonly HeldSecret[];
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
  const decision = await connection.check({ method, path });
  if ("code" in decision) return decision;
  const headers = requestHeaders(request, target, defaultPort);
  const put = putSecrets(secrets, { target, method, path, query: query ?? "", headers });
  return "code" in put ? put : { rule: decision.rule, put };
}

type Outcome = { readonly rule?: string; readonly refusal?: Refusal; readonly secrets?: readonly string[] };

/** Gives what reports the request with the bytes that went over the connection since it came. */
export function reporter({ upstream, report }: CarriedConnection, request: IncomingMessage) {
  const at = Date.now();
  const count = () => (upstream instanceof Socket ? [upstream.bytesWritten, upstream.bytesRead] : [0, 0]);
  const [up = 0, down = 0] = count();
  return ({ rule, refusal, secrets = [] }: Outcome) => {
    const [upNow = 0, downNow = 0] = count();
    const [path] = splitUrl(request.url ?? "");
    const method = request.method ?? "";
    const bytes = { bytesUp: upNow - up, bytesDown: downNow - down };
    report({ at, method, path, rule, reason: refusal?.code, secrets, ...bytes });
  };
}

const MISDIRECTED: Refusal = {
  code: "host_mismatch",
  message: "The request is for another host than the connection was made to.",
};
