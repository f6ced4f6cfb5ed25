import { homedir } from "node:os";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";

/** Where a Docker daemon listens. */
export type DockerEndpoint =
  | { readonly type: "socket"; readonly path: string }
  | { readonly type: "tcp"; readonly host: string; readonly port: number }
  /** `certificates` is the folder with `ca.pem`, and `cert.pem` and `key.pem` where the daemon asks for them. */
  | { readonly type: "tls"; readonly host: string; readonly port: number; readonly certificates: string }
  /** `destination` is `host` or `user@host`, as the program ssh takes it. */
  | { readonly type: "ssh"; readonly destination: string; readonly port: number | undefined };

/** Where the daemon is, in the words of Docker's own variables. */
export type DockerAddress = {
  /** As `DOCKER_HOST` is written; undefined or empty: the usual socket. */
  readonly host: string | undefined;
  /** `DOCKER_TLS_VERIFY`. */
  readonly tls?: boolean | undefined;
  /** `DOCKER_CERT_PATH`; undefined: `~/.docker`. */
  readonly certificates?: string | undefined;
};

const DEFAULT_HOST = "unix:///var/run/docker.sock";
const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

const NETWORK = /^(?:tcp|http|https):\/\/(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?\/?$/i;
/** A destination never begins with a dash, which ssh would read as an option. */
const SSH = /^ssh:\/\/((?:[\w.][\w.-]*@)?(?:\[[0-9a-f:]+\]|[\w.][\w.-]*))(?::(\d{1,5}))?\/?$/i;

/**
 * Reads a daemon's address: `unix:///path`, `tcp://host:port` (with TLS when that is asked for), `https://host:port`
 * or `ssh://user@host:port`. Nothing is opened or read yet.
 * @throws AppError `backend_unavailable` for anything else
 */
export function dockerEndpoint(address: DockerAddress): DockerEndpoint {
  const text = address.host === undefined || address.host === "" ? DEFAULT_HOST : address.host;
  const endpoint = socketEndpoint(text) ?? networkEndpoint(text, address) ?? sshEndpoint(text);
  if (endpoint !== undefined) return endpoint;
  // Somebody may have put a password into it.
  const shown = text.replace(/\/\/[^/@]*@/, "//…@");
  const message = `The Docker address "${shown}" cannot be used. Write unix:///path/to/docker.sock, tcp://host:port or ssh://user@host.`;
  throw new AppError("backend_unavailable", message, { address: shown });
}

/** The endpoint as people write it. */
export function addressOf(endpoint: DockerEndpoint): string {
  switch (endpoint.type) {
    case "socket":
      return `unix://${endpoint.path}`;
    case "tcp":
      return `tcp://${endpoint.host}:${endpoint.port}`;
    case "tls":
      return `tcp://${endpoint.host}:${endpoint.port} (TLS)`;
    case "ssh":
      return `ssh://${endpoint.destination}${endpoint.port === undefined ? "" : `:${endpoint.port}`}`;
  }
}

function socketEndpoint(text: string): DockerEndpoint | undefined {
  return text.startsWith("unix:///") ? { type: "socket", path: text.slice("unix://".length) } : undefined;
}

function networkEndpoint(text: string, { tls, certificates }: DockerAddress): DockerEndpoint | undefined {
  const [, bracketed, port] = NETWORK.exec(text) ?? [];
  if (bracketed === undefined) return undefined;
  const host = withoutBrackets(bracketed);
  const secure = tls === true || /^https:/i.test(text);
  if (!secure) return { type: "tcp", host, port: Number(port ?? PLAIN_PORT) };
  return {
    type: "tls",
    host,
    port: Number(port ?? TLS_PORT),
    certificates: certificates ?? join(homedir(), ".docker"),
  };
}

function sshEndpoint(text: string): DockerEndpoint | undefined {
  const [, destination, port] = SSH.exec(text) ?? [];
  if (destination === undefined) return undefined;
  return {
    type: "ssh",
    destination: withoutBrackets(destination),
    port: port === undefined ? undefined : Number(port),
  };
}

function withoutBrackets(host: string): string {
  return host.replace(/\[(.*)\]$/, "$1");
}
