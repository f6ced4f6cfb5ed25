import type { GitSecretUse, HeaderSecretUse, PushRule } from "@handrail/protocol/secrets";
import { parseTarget, type Target } from "../host.ts";
import type { Refusal } from "../refusal.ts";
import { gitRequest, type GitRequest, mayFetch, pushRules } from "./git-request.ts";
import type { HeldSecret } from "./held-secret.ts";
import { normalisePath } from "../path-pattern.ts";
import { matchesRequest, namesTarget } from "./matches-request.ts";

/** A request to a host whose TLS is open. `query` has its question mark; `headers` are names and values in turn. */
export type PlainRequest = {
  readonly target: Target;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly string[];
};

/** The request's headers with the secrets that belong to it. `push`: the rules that its commands must be checked by. */
export type WithSecrets = {
  readonly headers: readonly string[];
  readonly secrets: readonly HeldSecret[];
  readonly names: readonly string[];
  readonly push: readonly PushRule[] | undefined;
};

/** Puts in the secrets for this request. A push to where no rule allows one is refused. */
export function putSecrets(held: readonly HeldSecret[], request: PlainRequest): WithSecrets | Refusal {
  const used: HeldSecret[] = [];
  const push: PushRule[] = [];
  let { headers } = request;
  for (const secret of held.filter((one) => belongsTo(one, request.target))) {
    const filled = withoutPlaceholder(headers, secret);
    const done = putOne(secret, filled, request);
    if ("code" in done) return done;
    if (done.headers !== headers) used.push(secret);
    push.push(...(done.push ?? []));
    ({ headers } = done);
  }
  // A compressed answer could repeat a secret without anybody seeing it.
  const plain = used.length === 0 ? headers : withField(headers, "Accept-Encoding", "identity");
  const names = used.map((secret) => secret.name);
  return { headers: plain, secrets: used, names, push: push.length === 0 ? undefined : push };
}

type Put = { readonly headers: readonly string[]; readonly push?: readonly PushRule[] };

function putOne({ use, value }: HeldSecret, headers: readonly string[], request: PlainRequest): Put | Refusal {
  if (use.type === "header" && allowsHeader(use, request)) return { headers: withHeader(headers, use, value) };
  if (use.type === "git") return putGit(use, value, headers, request);
  return { headers };
}

function putGit(use: GitSecretUse, value: string, headers: readonly string[], request: PlainRequest): Put | Refusal {
  const git = gitRequest(request.method, normalisePath(request.path) ?? "", request.query);
  if (git === undefined) return { headers };
  const given = withBasic(headers, use, value);
  if (git.service === "fetch") return { headers: mayFetch(use, git.repository) ? given : headers };
  const rules = pushRules(use, git.repository);
  if (rules.length === 0) return noPush(git);
  return { headers: given, push: git.commands ? rules : [] };
}

/** Whether the secret may go to this host at all. Files go nowhere. */
export function belongsTo({ use }: HeldSecret, target: Target): boolean {
  if (use.type === "file") return false;
  if (use.type === "git") return isTarget(use.host, target);
  return use.hosts.some((rule) => namesTarget(rule, target));
}

function isTarget(text: string, { host, port }: Target): boolean {
  const named = parseTarget(text, 443);
  return named !== undefined && named.host.name === host.name && named.port === port;
}

const allowsHeader = (use: HeaderSecretUse, request: PlainRequest) =>
  use.hosts.some((rule) => matchesRequest(rule, request.target, request));

function withHeader(headers: readonly string[], use: HeaderSecretUse, value: string): readonly string[] {
  const name = use.header ?? "authorization";
  if (use.keep === true && hasField(headers, name)) return headers;
  const text = use.user === undefined ? (use.format ?? "Bearer {secret}").replace("{secret}", () => value) : undefined;
  return withField(headers, name, text ?? basic(use.user ?? "", value));
}

const withBasic = (headers: readonly string[], use: GitSecretUse, value: string) =>
  withField(headers, "Authorization", basic(use.user ?? "x-access-token", value));

const basic = (user: string, value: string) => `Basic ${Buffer.from(`${user}:${value}`).toString("base64")}`;

/** The value in place of its placeholder, within the base64 of HTTP Basic too. The same list when there is none. */
function withoutPlaceholder(headers: readonly string[], { placeholder, value }: HeldSecret): readonly string[] {
  if (placeholder === undefined) return headers;
  const changed = headers.map((text, index) => (index % 2 === 0 ? text : replaced(text, placeholder, value)));
  return changed.some((text, index) => text !== headers[index]) ? changed : headers;
}

function replaced(text: string, placeholder: string, value: string): string {
  if (text.includes(placeholder)) return text.replaceAll(placeholder, () => value);
  const [, scheme = "", encoded = ""] = /^(basic) +([A-Za-z0-9+/=]+)$/i.exec(text) ?? [];
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  if (!decoded.includes(placeholder)) return text;
  return `${scheme} ${Buffer.from(decoded.replaceAll(placeholder, () => value)).toString("base64")}`;
}

const hasField = (headers: readonly string[], name: string) =>
  headers.some((text, index) => index % 2 === 0 && text.toLowerCase() === name.toLowerCase());

function withField(headers: readonly string[], name: string, value: string): readonly string[] {
  const others = headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== name.toLowerCase());
  return [...others, name, value];
}

const noPush = ({ repository }: GitRequest): Refusal => ({
  code: "push_not_allowed",
  message: `No rule allows a push to ${repository}. Ask the user to add one to the secret for this host.`,
});
