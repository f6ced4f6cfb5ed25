import { SOCKET_CLOSE } from "@handrail/protocol/socket";
import type { WebSocket } from "ws";

/** The sending side of one socket. A client that does not read cannot make the server keep more than a bound. */
export type Outlet = {
  /** Sends what must arrive; closes a socket that is far behind, for its client to come back by number. */
  send(frame: string): void;
  /** Sends what may be left out; leaves it out when the client is behind. */
  sendIfQuick(frame: string): void;
  /** Resolves once the frame has left. */
  sendAndWait(frame: string): Promise<void>;
  readonly behind: boolean;
  readonly closed: AbortSignal;
};

/** Bytes that wait in the server for one client to read on. */
export type OutletLimits = {
  /** Above this, what may be left out is. */
  readonly behindBytes: number;
  /** Above this, the socket is closed. */
  readonly tooSlowBytes: number;
};

const LIMITS: OutletLimits = { behindBytes: 4 * 1024 ** 2, tooSlowBytes: 16 * 1024 ** 2 };

export function outletOf(socket: WebSocket, limits = LIMITS): Outlet {
  const closed = new AbortController();
  socket.once("close", () => closed.abort(new Error("The socket is closed.")));
  const open = () => socket.readyState === socket.OPEN;
  return {
    send(frame) {
      if (!open()) return;
      if (socket.bufferedAmount > limits.tooSlowBytes) socket.close(SOCKET_CLOSE.tooSlow, "too slow");
      else socket.send(frame);
    },
    sendIfQuick(frame) {
      if (open() && socket.bufferedAmount <= limits.behindBytes) socket.send(frame);
    },
    async sendAndWait(frame) {
      if (!open()) throw closed.signal.reason;
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      socket.send(frame, (failure) => (failure ? reject(failure) : resolve(undefined)));
      await promise;
    },
    get behind() {
      return socket.bufferedAmount > limits.behindBytes;
    },
    closed: closed.signal,
  };
}
