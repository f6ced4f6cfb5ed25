import { AppError } from "@handrail/protocol/errors";
import { at, textAt } from "./json.ts";

/** The error for a request that got no answer: says which host, and what to look at. */
export function networkError(thrown: unknown, url: string, model: string): AppError {
  const reason = reasonOf(thrown);
  const { host, hostname, protocol } = new URL(url);
  return new AppError(
    "model_unreachable",
    sentence(reason, { host, hostname, protocol }),
    { model, host, reason },
    { cause: thrown },
  );
}

/** The system's or the library's code of what went wrong, such as ECONNREFUSED. */
function reasonOf(thrown: unknown): string {
  const causes = [at(thrown, "cause"), at(thrown, "cause", "cause"), at(thrown, "cause", "errors", 0), thrown];
  const code = causes.map((cause) => textAt(cause, "code")).find((text) => text !== "");
  if (textAt(at(thrown, "cause"), "message") === "bad port") return "BAD_PORT";
  return code ?? (thrown instanceof Error ? thrown.name : "unknown");
}

type Where = { readonly host: string; readonly hostname: string; readonly protocol: string };

function sentence(reason: string, { host, hostname, protocol }: Where): string {
  if (/^(ENOTFOUND|EAI_)/.test(reason)) {
    return `The host ${hostname} of the model's base URL was not found. Check its spelling and the network.`;
  }
  if (reason === "ECONNREFUSED")
    return `Nothing answers at ${host}: the connection was refused. Is the server running?`;
  if (reason === "BAD_PORT") return `The port of ${host} is reserved for another protocol. Check the base URL.`;
  if (/TIMEDOUT|TIMEOUT/.test(reason))
    return `The server at ${host} did not answer in time. Check address and network.`;
  if (/WRONG_VERSION|EPROTO|ERR_SSL|PACKET_LENGTH/.test(reason)) {
    return `The server at ${host} does not speak TLS. Is it http:// instead of https://?`;
  }
  if (/CERT|TLS|SELF_SIGNED|UNABLE_TO_|HOSTNAME/.test(reason)) {
    return `The TLS certificate of ${host} is not trusted (${reason}). Set NODE_EXTRA_CA_CERTS for an own authority.`;
  }
  if (reason.startsWith("HPE_")) return `The server at ${host} does not speak HTTP. Check ${protocol}// and the port.`;
  return `The connection to ${host} failed before an answer came (${reason}).`;
}
