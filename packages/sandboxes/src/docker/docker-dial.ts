import { readFile } from "node:fs/promises";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { dialSsh } from "./dial-ssh.ts";
import { UnreachableError } from "./docker-unreachable.ts";

const CONNECT_MS = 10_000;

/**
 * A new connection to a daemon, ready to carry requests. The caller ends it.
 * Rejects with what the operating system, TLS or ssh says.
 */
export async function dial(endpoint: DockerEndpoint): Promise<Duplex> {
  switch (endpoint.type) {
    case "socket":
      return opened(connectPlain({ path: endpoint.path }), "connect");
    case "tcp":
      return opened(connectPlain({ host: endpoint.host, port: endpoint.port, noDelay: true }), "connect");
    case "tls":
      return dialTls(endpoint);
    case "ssh":
      return dialSsh(endpoint);
  }
}

type TlsEndpoint = Extract<DockerEndpoint, { type: "tls" }>;

/** Certificates are read for each connection: a daemon beside the server may make new ones when it starts. */
async function dialTls({ host, port, certificates }: TlsEndpoint): Promise<Duplex> {
  const [ca, cert, key] = await Promise.all([
    pemFile(certificates, "ca.pem"),
    pemFile(certificates, "cert.pem").catch(unlessThere),
    pemFile(certificates, "key.pem").catch(unlessThere),
  ]);
  if ((cert === undefined) !== (key === undefined)) {
    throw new UnreachableError(`${certificates} has one of cert.pem and key.pem. Both are needed, or neither.`);
  }
  const identity = cert === undefined || key === undefined ? {} : { cert, key };
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return opened(connectTls({ host, port, ca, minVersion: "TLSv1.2", ...identity, ...servername }), "secureConnect");
}

async function pemFile(directory: string, name: string): Promise<Buffer> {
  return readFile(join(directory, name)).catch((cause: NodeJS.ErrnoException) => {
    const how = cause.code === "ENOENT" ? "is not there" : `cannot be read (${cause.code ?? cause.message})`;
    const message = `The file ${join(directory, name)} ${how}. DOCKER_CERT_PATH names the folder with ca.pem, cert.pem and key.pem.`;
    throw new UnreachableError(message, { cause });
  });
}

function unlessThere(thrown: UnreachableError): undefined {
  const cause = thrown.cause as NodeJS.ErrnoException;
  if (cause.code !== "ENOENT") throw thrown;
  return undefined;
}

function opened(socket: Socket, ready: "connect" | "secureConnect"): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      const timedOut = Object.assign(new Error("The connection was not made in time."), { code: "ETIMEDOUT" });
      socket.destroy(timedOut);
    }, CONNECT_MS);
    const fail = (error: Error) => {
      clearTimeout(late);
      reject(error);
    };
    socket.once("error", fail);
    socket.once(ready, () => {
      clearTimeout(late);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
