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

/**
 * Puts in the secrets for this request. One whose rules do not name the request stays out of it, its placeholder
 * notwithstanding. A push to where no rule allows one is refused.
 */
export function putSecrets(held: readonly HeldSecret[], request: PlainRequest): WithSecrets | Refusal {
  const own = held.filter((one) => belongsTo(one, request.target));
  const git = gitSecret(own, request);
  if (git !== undefined && "code" in git) return git;
  const used: HeldSecret[] = [];
  let { headers } = request;
  for (const secret of own) {
    const before = headers;
    if (secret === git?.secret) headers = withBasic(withoutPlaceholder(before, secret), git.use, secret.value);
    else if (isNamed(secret, request)) {
      headers = withHeader(withoutPlaceholder(before, secret), secret.use, secret.value);
    }
    if (headers !== before) used.push(secret);
  }
  // A compressed answer could repeat a secret without anybody seeing it.
  const plain = used.length === 0 ? headers : withField(headers, "Accept-Encoding", "identity");
  return { headers: plain, secrets: used, names: used.map((secret) => secret.name), push: git?.push };
}

type Using<Use> = HeldSecret & { readonly use: Use };

const isNamed = (secret: HeldSecret, request: PlainRequest): secret is Using<HeaderSecretUse> =>
  secret.use.type === "header" && secret.use.hosts.some((rule) => matchesRequest(rule, request.target, request));

type ForGit = {
  readonly secret: HeldSecret;
  readonly use: GitSecretUse;
  readonly push: readonly PushRule[] | undefined;
};

/** The first secret that allows this request of git: its rules alone hold for a push with it. Undefined: none is for it. */
function gitSecret(own: readonly HeldSecret[], request: PlainRequest): ForGit | Refusal | undefined {
  const git = gitRequest(request.method, normalisePath(request.path) ?? "", request.query);
  const those = own.flatMap((secret) => (secret.use.type === "git" ? [{ secret, use: secret.use }] : []));
  if (git === undefined || those.length === 0) return undefined;
  if (git.service === "fetch") {
    const found = those.find(({ use }) => mayFetch(use, git.repository));
    return found && { ...found, push: undefined };
  }
  const ruled = those.map((one) => ({ ...one, rules: pushRules(one.use, git.repository) }));
  const found = ruled.find(({ rules }) => rules.length > 0);
  if (found === undefined) return noPush(git);
  return { secret: found.secret, use: found.use, push: git.commands ? found.rules : undefined };
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
