import { AppError } from "@handrail/protocol/errors";

/** How to reach a Docker daemon with `node:http`. */
export type DockerEndpoint = { readonly socketPath: string } | { readonly host: string; readonly port: number };

const DEFAULT_HOST = "unix:///var/run/docker.sock";
const DEFAULT_PORT = 2375;

/**
 * Reads a value written as `DOCKER_HOST` is: `unix:///path`, `tcp://host:port` or `http://host:port`. Undefined or
 * empty is the usual socket.
 * @throws AppError `backend_unavailable` for anything else, ssh and TLS included
 */
export function dockerEndpoint(dockerHost: string | undefined): DockerEndpoint {
  const text = dockerHost === undefined || dockerHost === "" ? DEFAULT_HOST : dockerHost;
  const endpoint = text.startsWith("unix:///") ? { socketPath: text.slice("unix://".length) } : networkEndpoint(text);
  if (endpoint !== undefined) return endpoint;
  const message = `The Docker address "${text}" cannot be used. Write unix:///path/to/docker.sock or tcp://host:port.`;
  throw new AppError("backend_unavailable", message, { address: text });
}

function networkEndpoint(text: string): DockerEndpoint | undefined {
  const [, host, port] = /^(?:tcp|http):\/\/(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  if (host === undefined) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: port === undefined ? DEFAULT_PORT : Number(port) };
}
