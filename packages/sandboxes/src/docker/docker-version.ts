import { AppError } from "@handrail/protocol/errors";
import { DockerError } from "./docker-error.ts";
import type { DockerHttp } from "./docker-http.ts";

/** 20.10. Older daemons lack what the sandbox relies on. */
const OLDEST_MINOR = 41;
/** What this client was written against. Newer daemons still speak it (29 speaks 1.44 and up). */
const NEWEST_MINOR = 47;

/**
 * The newest version of the API that the daemon and this client both speak, such as "1.47".
 * @throws AppError `backend_unavailable` when there is none, or when what answers is not a Docker daemon
 */
export async function negotiatedVersion(http: DockerHttp, address: string): Promise<string> {
  const { ApiVersion, MinAPIVersion } = ((await asked(http, address)) ?? {}) as Readonly<Record<string, unknown>>;
  const [newest, oldest] = [minorOf(ApiVersion), minorOf(MinAPIVersion) ?? 0];
  if (newest === undefined || newest < OLDEST_MINOR) {
    const message = `What answers at ${address} is not Docker 20.10 or newer (API version ${shown(ApiVersion)}). Update it.`;
    throw new AppError("backend_unavailable", message, { address, apiVersion: shown(ApiVersion) });
  }
  if (oldest > NEWEST_MINOR) {
    const message = `The Docker daemon at ${address} speaks API ${shown(MinAPIVersion)} and newer, and this server 1.${NEWEST_MINOR} at most. Update Handrail.`;
    throw new AppError("backend_unavailable", message, { address, minApiVersion: shown(MinAPIVersion) });
  }
  return `1.${Math.min(newest, NEWEST_MINOR)}`;
}

async function asked(http: DockerHttp, address: string): Promise<unknown> {
  try {
    return await http.json({ method: "GET", path: "/version", timeoutMs: 5000 });
  } catch (thrown) {
    const said = thrown instanceof AppError ? thrown.cause : thrown;
    if (!(said instanceof DockerError || said instanceof SyntaxError)) throw thrown;
    throw new AppError("backend_unavailable", refusal(address, said), { address }, { cause: thrown });
  }
}

function refusal(address: string, said: DockerError | SyntaxError): string {
  const { message } = said;
  if (/HTTP request to an HTTPS server/i.test(message)) {
    return `The Docker daemon at ${address} wants TLS. Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH.`;
  }
  if (said instanceof DockerError && said.status >= 500) {
    return `The Docker daemon at ${address} fails (${message.slice(0, 200).trim()}). Look at its log.`;
  }
  return `What answers at ${address} is not a Docker daemon (${message.slice(0, 200).trim()}). Correct DOCKER_HOST.`;
}

/** The minor part of a version 1.x; undefined for anything else. */
function minorOf(version: unknown): number | undefined {
  const [, minor] = /^1\.(\d+)$/.exec(typeof version === "string" ? version : "") ?? [];
  return minor === undefined ? undefined : Number(minor);
}

function shown(version: unknown): string {
  return typeof version === "string" ? version.slice(0, 40) : "unknown";
}
