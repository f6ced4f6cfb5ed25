import { connect, type Socket } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import type { ListeningPort } from "@handrail/protocol/sandboxd/operations";
import type { Handlers } from "../handlers.ts";
import { listeningPorts } from "./listening-ports.ts";

export type PortPlace = {
  /** Ports of sandboxd itself, which are nobody's business. */
  readonly own: ReadonlySet<number>;
  /** Asks the server for a stream; undefined when there is no server, or there are too many. */
  readonly openChannel: (ticket: string) => Duplex | undefined;
};

const LOOK_EVERY_MS = 500;
const CONNECT_MS = 5000;

/** The operations on what programs in the sandbox serve. */
export function portOperations(place: PortPlace): Pick<Handlers, "port.wait" | "port.connect"> {
  return {
    async "port.wait"({ known, timeoutMs }, { signal }) {
      const until = performance.now() + timeoutMs;
      for (;;) {
        const ports = listeningPorts(place.own).slice(0, 1000);
        const left = until - performance.now();
        if (left <= 0 || signal.aborted || differ(ports, known)) return { ports };
        await sleep(Math.min(left, LOOK_EVERY_MS), undefined, { signal }).catch(() => undefined);
      }
    },
    async "port.connect"({ port, ticket }) {
      if (place.own.has(port)) throw own(port);
      const socket = (await dial("127.0.0.1", port)) ?? (await dial("::1", port));
      if (socket === undefined) throw closed(port);
      const channel = place.openChannel(ticket);
      if (channel === undefined) {
        socket.destroy();
        throw new AppError("limit_reached", "Too many connections are open. Close some first.");
      }
      pipeline(socket, channel, socket, () => {
        channel.destroy();
        socket.destroy();
      });
      return {};
    },
  };
}

function differ(ports: readonly ListeningPort[], known: readonly number[]): boolean {
  return ports.length !== known.length || ports.some(({ port }) => !known.includes(port));
}

const closed = (port: number) =>
  new AppError("port_closed", `Nothing in the sandbox listens on port ${port}. Start the program and try again.`);

const own = (port: number) =>
  new AppError("port_closed", `Port ${port} is Handrail's own in the sandbox. Let the program listen on another one.`);

/** An open connection, or undefined when nobody answers. */
function dial(host: string, port: number): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  const socket = connect({ host, port, noDelay: true });
  const fail = () => {
    socket.destroy();
    resolve(undefined);
  };
  const timer = setTimeout(fail, CONNECT_MS);
  socket.once("error", fail);
  socket.once("connect", () => {
    clearTimeout(timer);
    socket.off("error", fail);
    resolve(socket);
  });
  socket.once("close", () => clearTimeout(timer));
  return promise;
}
