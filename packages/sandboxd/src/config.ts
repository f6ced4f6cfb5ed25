import { parseArgs } from "node:util";
import { UserNames } from "@handrail/protocol/sandboxd/disk-messages";
import type { Bounds } from "./bounded/serve-bounded.ts";
import type { Kept } from "./keeper/keep-files.ts";
import { parseAddress, socketPath, type Address } from "./wire/endpoints.ts";

export type ServeConfig = {
  readonly mode: "serve";
  readonly workspace: string;
  readonly state: string;
  readonly listen: Address | undefined;
  /** The path of a unix socket. */
  readonly dial: string | undefined;
  readonly tokenFile: string | undefined;
  /**
   * What the server and this process know, and no program in the sandbox. Who connects to a socket in the sandbox has to
   * say it, and so does this process where it dials. Undefined: nobody is asked.
   */
  readonly linkToken: string | undefined;
  readonly egressPort: number | undefined;
  /** Whether programs that know of no proxy get to the broker too, where this process may listen at low ports. */
  readonly transparent: boolean;
  readonly idleExitSeconds: number | undefined;
  /** How many bytes programs leave free of what is shared with others; undefined: they may take all. */
  readonly keepFree: number | undefined;
  /** Directories on file systems that are shared with others. */
  readonly shared: readonly string[];
  /** Whether standard input and output are a connection too. */
  readonly stdio: boolean;
  readonly env: Readonly<Record<string, string>>;
};

export type Config =
  | ServeConfig
  | { readonly mode: "connect"; readonly socket: string }
  /** Disks of sandboxes beside the volumes of a Docker daemon are mounted for the server that it is attached to. */
  | { readonly mode: "disks"; readonly volumes: string }
  /** What users may store on the file system of a directory is said on standard output. */
  | { readonly mode: "quotas"; readonly directory: string; readonly users: readonly number[] }
  /** A directory is served at another place as a file system with a bound. */
  | { readonly mode: "bound"; readonly bounds: Bounds }
  /** Files beside a volume's own are served so for the server that it is attached to. */
  | { readonly mode: "keep"; readonly kept: Kept }
  | { readonly mode: "version" }
  /** The arguments make no sense; `message` says why. */
  | { readonly mode: "usage"; readonly message: string };

const MOST_USERS = 0xffff_fffe;
const LINK_TOKEN = "HANDRAIL_LINK_TOKEN";
/** Meant for this process alone. */
const OWN_VARIABLES: ReadonlySet<string> = new Set([
  LINK_TOKEN,
  "BUN_JSC_jitMemoryReservationSize",
  "BUN_JSC_numberOfGCMarkers",
  "BUN_JSC_useConcurrentGC",
  "BUN_JSC_useConcurrentJIT",
  "BUN_JSC_useFTLJIT",
]);

export const USAGE = `sandboxd serve --workspace DIR --state DIR [--listen unix:PATH|tcp:HOST:PORT] [--dial unix:PATH]
               [--token-file FILE] [--egress-port PORT] [--transparent]
               [--idle-exit SECONDS] [--keep-free BYTES] [--shared DIR]...
               [--stdio] [--sandbox ID]
sandboxd connect --socket PATH
sandboxd disks --volumes DIR
sandboxd quotas --directory DIR --user ID...
sandboxd bound --directory DIR --bytes N (--mount DIR | --device FD)
sandboxd keep --directory DIR --bytes N [--owner ID] [--names JSON]
sandboxd --version

PATH is @NAME for an abstract socket. --sandbox says which sandbox it is to those who look at processes.
`;

/** What this process was started to do. */
export function readConfig(argv: readonly string[]): Config {
  try {
    return parse(argv);
  } catch (thrown) {
    return { mode: "usage", message: thrown instanceof Error ? thrown.message : "The arguments cannot be read." };
  }
}

const TEXT = { type: "string" } as const;
const TEXTS = { type: "string", multiple: true } as const;
const FLAG = { type: "boolean" } as const;
const OPTIONS = {
  workspace: TEXT,
  state: TEXT,
  listen: TEXT,
  dial: TEXT,
  "token-file": TEXT,
  "egress-port": TEXT,
  "idle-exit": TEXT,
  "keep-free": TEXT,
  shared: TEXTS,
  socket: TEXT,
  volumes: TEXT,
  directory: TEXT,
  bytes: TEXT,
  mount: TEXT,
  device: TEXT,
  user: TEXTS,
  owner: TEXT,
  names: TEXT,
  sandbox: TEXT,
  stdio: FLAG,
  transparent: FLAG,
  version: FLAG,
} as const;

function parse(argv: readonly string[]): Config {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: OPTIONS,
  });
  if (values.version === true) return { mode: "version" };
  const [mode] = positionals;
  if (mode !== "serve") return besideServing(mode, values);
  const { workspace, state } = values;
  if (workspace === undefined || state === undefined) throw new Error("--workspace and --state are needed.");
  const listen = address("--listen", values.listen);
  if (listen !== undefined && "port" in listen && values["token-file"] === undefined) {
    throw new Error("--listen tcp: needs a --token-file.");
  }
  return {
    mode,
    workspace,
    state,
    listen,
    dial: dialled(values.dial),
    tokenFile: values["token-file"],
    linkToken: process.env[LINK_TOKEN],
    egressPort: number("--egress-port", values["egress-port"], 65_535),
    idleExitSeconds: number("--idle-exit", values["idle-exit"], 1_000_000_000),
    keepFree: number("--keep-free", values["keep-free"], Number.MAX_SAFE_INTEGER),
    shared: values.shared ?? [],
    stdio: values.stdio === true,
    transparent: values.transparent === true,
    env: environment(),
  };
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

function besideServing(mode: string | undefined, values: Values): Config {
  const { socket, volumes, directory } = values;
  if (mode === "connect" && socket !== undefined) return { mode, socket: socketPath(socket) };
  if (mode === "disks" && volumes !== undefined) return { mode, volumes };
  const config = directory === undefined ? undefined : inDirectory(mode, directory, values);
  if (config !== undefined) return config;
  throw new Error("Say serve, connect, disks, quotas, bound, keep or --version.");
}

function inDirectory(mode: string | undefined, directory: string, values: Values): Config | undefined {
  if (mode === "quotas") return { mode, directory, users: (values.user ?? []).map(userId) };
  if (mode === "bound") return { mode, bounds: boundsOf(directory, values) };
  return mode === "keep" ? { mode, kept: keptOf(directory, values) } : undefined;
}

function boundsOf(directory: string, { bytes: text, mount, device: file }: Values): Bounds {
  const bytes = bytesOf(text);
  const device = number("--device", file, 1_000_000);
  if (mount !== undefined && device === undefined) return { directory, bytes, mount: { target: mount } };
  if (device !== undefined && mount === undefined) return { directory, bytes, mount: { device } };
  throw new Error("Either --mount or --device is needed.");
}

function keptOf(directory: string, { bytes, owner, names }: Values): Kept {
  const user = owner === "0" ? 0 : number("--owner", owner, MOST_USERS);
  const known = names === undefined ? undefined : UserNames.parse(JSON.parse(names));
  return { directory, bytes: bytesOf(bytes), owner: user, names: known };
}

function bytesOf(text: string | undefined): number {
  const bytes = number("--bytes", text, Number.MAX_SAFE_INTEGER);
  if (bytes === undefined) throw new Error("--bytes is needed.");
  return bytes;
}

function address(flag: string, text: string | undefined): Address | undefined {
  const parsed = text === undefined ? undefined : parseAddress(text);
  if (text !== undefined && parsed === undefined) throw new Error(`${flag} must be unix:PATH or tcp:HOST:PORT.`);
  return parsed;
}

function dialled(text: string | undefined): string | undefined {
  const parsed = address("--dial", text);
  if (parsed !== undefined && !("path" in parsed)) throw new Error("--dial must be unix:PATH.");
  return parsed?.path;
}

function number(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max) throw new Error(`${flag} must be a number from 1 to ${max}.`);
  return value;
}

function userId(text: string): number {
  return number("--user", text, MOST_USERS) ?? 0;
}

/** What programs in the sandbox get, and what keeps them from waiting for a pager, an editor or a password. */
function environment(): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || OWN_VARIABLES.has(name) ? [] : [[name, value]],
  );
  const own = Object.fromEntries(inherited) as Record<string, string>;
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LANG: "C.UTF-8",
    ...own,
    TERM: "xterm-256color",
    PAGER: "cat",
    GIT_PAGER: "cat",
    MANPAGER: "cat",
    GIT_TERMINAL_PROMPT: "0",
    DEBIAN_FRONTEND: "noninteractive",
  };
}
