import type { Socket } from "node:net";
import { AppError } from "@handrail/protocol/errors";
import { problemOf } from "@handrail/protocol/problem";

const PROBLEMS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "The request's address or headers are too long."],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request took too long to arrive."],
};

/** Answers what is no HTTP request that could reach a route, as all failures are answered, and hangs up. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = PROBLEMS[error.code ?? ""] ?? ["400 Bad Request", "This is no HTTP request."];
  const problem = { ...problemOf(new AppError("bad_request", message)), status: Number(status.slice(0, 3)) };
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
