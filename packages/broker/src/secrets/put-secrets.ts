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
  readonly disguised?: boolean;
};

/** The request's headers with the secrets that belong to it. `push`: the rules that its commands must be checked by. */
export type WithSecrets = {
  readonly headers: readonly string[];
  /** Those that were put in. */
  readonly secrets: readonly HeldSecret[];
  /** Those that the host has, from this request or from others. */
  readonly known: readonly HeldSecret[];
  readonly names: readonly string[];
  readonly push: readonly PushRule[] | undefined;
};

/**
 * Puts in the secrets for this request; where several set one header, the first of those held decides what it is. One whose
 * rules do not name the request stays out of it, its placeholder notwithstanding. A push to where no rule allows one is refused.
 */
export function putSecrets(held: readonly HeldSecret[], request: PlainRequest): WithSecrets | Refusal {
  const own = held.filter((one) => belongsTo(one, request.target));
  const git = gitSecret(own, request);
  if (git !== undefined && "code" in git) return git;
  const used: HeldSecret[] = [];
  const decided = new Set<string>();
  let { headers } = request;
  for (const secret of own) {
    if (secret !== git?.secret && !isNamed(secret, request)) continue;
    const before = headers;
    headers = withSecret(withoutPlaceholder(before, secret), secret, decided);
    if (headers !== before) used.push(secret);
  }
  return {
    headers: own.length === 0 ? headers : readable(headers, used.length > 0),
    secrets: used,
    known: own,
    names: used.map((secret) => secret.name),
    push: git?.push,
  };
}

/**
 * Asks for an answer in which a secret can be seen: a compressed one could repeat it, and one in parts has it in pieces, for
 * which a program can ask on purpose where it can have the secret repeated.
 */
function readable(headers: readonly string[], whole: boolean): readonly string[] {
  const kept = whole ? withoutField(withoutField(headers, "Range"), "If-Range") : headers;
  return withField(kept, "Accept-Encoding", "identity");
}

type Using<Use> = HeldSecret & { readonly use: Use };

const isNamed = (secret: HeldSecret, request: PlainRequest): secret is Using<HeaderSecretUse> =>
  secret.use.type === "header" && secret.use.hosts.some((rule) => matchesRequest(rule, request.target, request));

type ForGit = {
  readonly secret: HeldSecret;
  readonly use: GitSecretUse;
  readonly push: readonly PushRule[] | undefined;
};

/**
 * The first secret that allows this request of git: its rules alone hold for a push with it. Undefined: none is for it, or
 * another one decides before them what the request is authorised with.
 */
function gitSecret(own: readonly HeldSecret[], request: PlainRequest): ForGit | Refusal | undefined {
  const path = request.disguised === true ? "" : (normalisePath(request.path) ?? "");
  const git = gitRequest(request.method, path, request.query);
  const end = own.findIndex((secret) => isNamed(secret, request) && fieldOf(secret.use) === AUTHORIZATION);
  const those = own
    .slice(0, end === -1 ? undefined : end)
    .flatMap((secret) => (secret.use.type === "git" ? [{ secret, use: secret.use }] : []));
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

const AUTHORIZATION = "authorization";

/** The header that it is put into. */
const fieldOf = (use: HeaderSecretUse | GitSecretUse) =>
  use.type === "git" ? AUTHORIZATION : (use.header ?? AUTHORIZATION).toLowerCase();

/** Unless one before it decided about the header. */
function withSecret(headers: readonly string[], { use, value }: HeldSecret, decided: Set<string>): readonly string[] {
  if (use.type === "file" || decided.has(fieldOf(use))) return headers;
  decided.add(fieldOf(use));
  return use.type === "git" ? withBasic(headers, use, value) : withHeader(headers, use, value);
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

const withField = (headers: readonly string[], name: string, value: string): readonly string[] => [
  ...withoutField(headers, name),
  name,
  value,
];

const withoutField = (headers: readonly string[], name: string): readonly string[] =>
  headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== name.toLowerCase());

const noPush = ({ repository }: GitRequest): Refusal => ({
  code: "push_not_allowed",
  message: `No rule allows a push to ${repository}. Ask the user to add one to the secret for this host.`,
});
