import type { ServerResponse } from "node:http";
import { AppError } from "@handrail/protocol/errors";
import { refusalOf } from "./refusal.ts";
import { sendJson } from "./send-json.ts";

/** Answers at a path that a gateway does not have. What was sent there is not read. */
export function sendNothingHere(response: ServerResponse): void {
  const { status, headers, body } = refusalOf(new AppError("not_found", "There is nothing here."), undefined);
  sendJson(response, status, { body, headers: { ...headers, connection: "close" } });
}
