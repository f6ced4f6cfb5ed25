import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError } from "@handrail/protocol/errors";
import type { Gateway } from "../gateway.ts";
import { sendNothingHere } from "../http/nothing-here.ts";

/** Imported, it would load all that the module exports, a whole WebSocket client among it: 12 MB and 80 ms. */
const { createServer } = process.getBuiltinModule("node:http");

/** Longer than load balancers keep a connection, so that it is theirs to end it. */
const KEEP_ALIVE_MS = 75_000;

/** @throws AppError `port_taken` */
export async function listen(gateway: Gateway, host: string, port: number): Promise<Server> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (gateway.handle(request, response)) return;
    sendNothingHere(response);
  });
  server.listen(port, host);
  try {
    await once(server, "listening");
    return server;
  } catch (cause) {
    throw new AppError("port_taken", `The gateway cannot listen on ${host}:${port}.`, {}, { cause });
  }
}

/** The address at which it is reached. */
export function addressOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
