import { userInfo } from "node:os";
import { AppError } from "@handrail/protocol/errors";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { addressOf } from "./docker-endpoint.ts";

/** No connection, for a reason that is already a sentence for people, with what to do. Does not leave this folder. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** What to say when no daemon answers at an endpoint: what is wrong, then what to do. */
export function unreachable(endpoint: DockerEndpoint, cause: NodeJS.ErrnoException): AppError {
  const address = addressOf(endpoint);
  const remedy = cause instanceof UnreachableError ? cause.message : remedyFor(endpoint, cause);
  const details = { address, reason: cause.code ?? cause.message };
  return new AppError("backend_unavailable", `No Docker daemon answers at ${address}. ${remedy}`, details, { cause });
}

/** What to say of an answer that is not one of Docker's. */
export function unintelligible(cause: SyntaxError): AppError {
  return new AppError(
    "backend_unavailable",
    "The Docker daemon gave an answer that cannot be understood.",
    {},
    { cause },
  );
}

function remedyFor(endpoint: DockerEndpoint, cause: NodeJS.ErrnoException): string {
  const code = cause.code ?? "";
  if (endpoint.type === "tls") return tlsRemedy(endpoint, code) ?? networkRemedy(endpoint.host, code, cause);
  if (endpoint.type === "tcp") return networkRemedy(endpoint.host, code, cause);
  if (endpoint.type === "socket") return socketRemedy(endpoint.path, code, cause);
  return cause.message;
}

function socketRemedy(path: string, code: string, cause: Error): string {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `There is no such socket. Start the daemon (systemctl start docker, or Docker Desktop), or set DOCKER_HOST to where it listens.`;
    case "EACCES":
    case "EPERM":
      return `This user may not use the socket. Add it to the group that owns ${path} (usermod -aG docker ${userName()}; it counts from the next login, and is as good as root), or use another sandbox backend.`;
    case "ECONNREFUSED":
      return "The socket is there, but no daemon listens on it. Start the daemon (systemctl start docker, or Docker Desktop).";
    default:
      return said(cause);
  }
}

function networkRemedy(host: string, code: string, cause: Error): string {
  switch (code) {
    case "ECONNREFUSED":
      return "Nothing listens on that port. Start the daemon, or correct DOCKER_HOST.";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The name ${host} cannot be resolved. Correct DOCKER_HOST, or the machine's DNS.`;
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "The machine cannot be reached. Look at the address and at firewalls on the way.";
    default:
      return said(cause);
  }
}

/** Codes of OpenSSL's certificate checks (openssl-verification-options(1)) and alerts (RFC 8446 section 6.2). */
function tlsRemedy({ certificates }: { readonly certificates: string }, code: string): string | undefined {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return "Its certificate is for another name. Use the name that the certificate has, or make one for this name.";
  }
  if (code === "CERT_HAS_EXPIRED") return "Its certificate has expired. Make a new one.";
  if (/^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_)/.test(code)) {
    return `TLS: its certificate is not signed by ${certificates}/ca.pem. Take the ca.pem of that daemon.`;
  }
  if (/^ERR_SSL_.*(ALERT|CERTIFICATE)/.test(code)) {
    return `TLS: the daemon does not accept this server's certificate. Take cert.pem and key.pem that its authority signed, in ${certificates}.`;
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code) || code === "EPROTO") {
    return "The port does not speak TLS. Name the port that does (often 2376), or unset DOCKER_TLS_VERIFY.";
  }
  return undefined;
}

function said(cause: Error): string {
  return `${cause.message.replace(/\.?$/, ".")} Look at the daemon's log.`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "USER";
  }
}
