import type { NetworkPreset, RequestRule } from "@handrail/protocol/network";
import type { NetworkRule } from "@handrail/protocol/sources";
import { parseHost, parseTarget, type Host, type Target } from "./host.ts";
import { normalisePath, normalisePattern, pathMatches } from "./path-pattern.ts";
import { PRESET_HOSTS } from "./preset-hosts.ts";
import type { Refusal } from "./refusal.ts";

/** All the rules that hold for a conversation, ready to be asked. `off`: there is no network, whatever they say. */
export type Rules = { readonly off: boolean; readonly entries: readonly Entry[] };

/** What is allowed beside a conversation's own rule. `of` is whose it is, and is named with each decision. */
export type StoredAllowance = { readonly rule: NetworkRule; readonly of: "repository" | "owner" | "team" };

/**
 * What a request asks for. `method` and `path` (without its query) are absent where they cannot be seen; `disguised`: the
 * host may take them for others.
 */
export type AskedRequest = Target & {
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly disguised?: boolean | undefined;
};

/** Lets a request through, and names the rule that did: `preset npm`, `host .example.org`, `request GET x.org/v1/**`. */
export type Allowed = { readonly allowedBy: string };

/**
 * The conversation's own rule, what is stored for its repository, its owner and its team, and the host of its repository (with its
 * port, where that is none of the web's), which belongs to the presets `repository` and `git`. An entry that names no host
 * allows nothing.
 */
export function rulesOf(own: NetworkRule, stored: readonly StoredAllowance[] = [], gitHost?: string): Rules {
  if (own.type === "none") return NO_NETWORK;
  const presets = [own, ...stored.map(({ rule }) => rule)].flatMap((rule) =>
    rule.type === "none" ? [] : rule.presets,
  );
  const git = gitHost !== undefined && presets.some((preset) => ITS_HOST.has(preset));
  const more = stored.flatMap(({ rule, of }) => entriesOf(rule, ` (${of})`));
  return { off: false, entries: [...entriesOf(own, ""), ...(git ? hostEntries(gitHost, "repository") : []), ...more] };
}

/** The presets that the host of the conversation's repository belongs to. */
const ITS_HOST: ReadonlySet<NetworkPreset> = new Set(["repository", "git"]);

/** The rules of a conversation that may reach nothing. */
export const NO_NETWORK: Rules = { off: true, entries: [] };

/** Whether a host is one of those that a list names as rules do: `example.org`, `.example.org`, `10.1.2.3`. Ports are not looked at. */
export function hostsNamed(texts: readonly string[]): (host: Host) => boolean {
  const entries = texts.flatMap((text) => hostEntries(text, ""));
  return (host) => entries.some((entry) => names(entry, host));
}

/** Which rule allows the request, or why none does. */
export function check(rules: Rules, asked: AskedRequest): Allowed | Refusal {
  if (rules.off) return OFF;
  const named = rules.entries.filter((entry) => names(entry, asked.host));
  if (named.length === 0) return hostRefusal(asked);
  const there = named.filter((entry) => entry.ports?.includes(asked.port) ?? true);
  if (there.length === 0) return portRefusal(asked);
  const open = there.find((entry) => entry.request === undefined);
  return open === undefined ? checkKind(there, asked) : { allowedBy: open.label };
}

/** Whether only some kinds of request to the host and port are allowed, so that HTTPS must be opened to tell them. */
export function needsOpening(rules: Rules, target: Target): boolean {
  const refusal = check(rules, { host: target.host, port: target.port });
  return "code" in refusal && refusal.code === "request_unseen";
}

type Entry = {
  /** Undefined: any. */
  readonly name: string | undefined;
  readonly suffix: boolean;
  /** Undefined: any. */
  readonly ports: readonly number[] | undefined;
  /** Undefined: every request. */
  readonly request: Pick<RequestRule, "methods" | "path"> | undefined;
  readonly label: string;
};

function entriesOf(rule: NetworkRule, of: string): Entry[] {
  if (rule.type === "none") return [];
  return [
    ...rule.hosts.flatMap((host) => hostEntries(host, `host ${host}${of}`)),
    ...rule.presets.flatMap((preset) => presetEntries(preset, `preset ${preset}${of}`)),
    ...(rule.requests ?? []).flatMap((request) => requestEntries(request, of)),
  ];
}

function presetEntries(preset: NetworkPreset, label: string): Entry[] {
  if (preset !== "everything") return PRESET_HOSTS[preset].flatMap((host) => hostEntries(host, label));
  return [{ name: undefined, suffix: false, ports: undefined, request: undefined, label }];
}

function requestEntries({ host, port, methods, path }: RequestRule, of: string): Entry[] {
  const written = `${host}${port === undefined ? "" : `:${port}`}${path ?? ""}`;
  const label = `request ${methods === undefined ? "" : `${methods.join(",")} `}${written}${of}`;
  const kinds = { methods, path: path === undefined ? undefined : normalisePattern(path) };
  const request = methods === undefined && path === undefined ? undefined : kinds;
  const entries = hostEntries(host, label).map((entry) => ({ ...entry, request }));
  return port === undefined ? entries : entries.map((entry) => ({ ...entry, ports: [port] }));
}

const WEB_PORTS: readonly number[] = [80, 443];

/** One entry, or none when the text names no host. */
function hostEntries(text: string, label: string): Entry[] {
  const suffix = text.startsWith(".");
  const bare = suffix ? text.slice(1) : text;
  const withPort = parseTarget(bare);
  const host = withPort?.host ?? parseHost(bare);
  if (host === undefined || (suffix && host.address)) return [];
  return [
    { name: host.name, suffix, ports: withPort === undefined ? WEB_PORTS : [withPort.port], request: undefined, label },
  ];
}

function names({ name, suffix }: Entry, host: Host): boolean {
  if (name === undefined) return true;
  return suffix ? !host.address && host.name.endsWith(`.${name}`) : host.name === name;
}

/** Of entries that name the host and port, but only some kinds of request. */
function checkKind(entries: readonly Entry[], { host, method, path, disguised }: AskedRequest): Allowed | Refusal {
  const { name } = host;
  if (method === undefined || path === undefined || disguised === true) {
    return {
      code: "request_unseen",
      message: `Only some kinds of request to ${name} are allowed, and here they cannot be told apart.`,
    };
  }
  const normal = normalisePath(path);
  const fits = ({ request }: Entry) =>
    (request?.methods?.includes(method) ?? true) &&
    (request?.path === undefined || (normal !== undefined && pathMatches(request.path, normal)));
  const found = entries.find(fits);
  if (found !== undefined) return { allowedBy: found.label };
  if (normal === undefined) {
    return { code: "path_ambiguous", message: "The path could be read in more than one way. Write it plainly." };
  }
  return {
    code: "request_not_allowed",
    message: `${method} ${normal} is not among the requests that this sandbox may send to ${name}. Ask the user to allow it.`,
  };
}

const OFF: Refusal = {
  code: "network_off",
  message: "This sandbox has no network. Its user can allow hosts in the conversation's settings.",
};

const hostRefusal = ({ host }: Target): Refusal => ({
  code: "host_not_allowed",
  message: `${host.name} is not among the hosts that this sandbox may reach. Ask the user to allow it.`,
});

const portRefusal = ({ host, port }: Target): Refusal => ({
  code: "port_not_allowed",
  message: `Port ${port} of ${host.name} is not allowed. Ask the user to allow ${host.name}:${port}.`,
});
