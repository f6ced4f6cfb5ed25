/** What a socket tells: that it opened, each text frame, and once that it closed, with the code (RFC 6455 §7.4). */
export type SocketHandlers = {
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  readonly onClose: (code: number) => void;
};

export type RawSocket = { send(text: string): void; close(): void };

/** Opens one WebSocket. It must not tell anything before it has returned. */
export type Dial = (url: string, headers: Readonly<Record<string, string>>, handlers: SocketHandlers) => RawSocket;

/** The platform's `WebSocket`. Browsers let no one set headers; Node's takes them in place of the subprotocols. */
export const dialWebSocket: Dial = (url, headers, handlers) => {
  const plain = Object.keys(headers).length === 0;
  const socket = plain ? new WebSocket(url) : new WebSocket(url, { headers } as unknown as string[]);
  socket.addEventListener("open", () => handlers.onOpen());
  socket.addEventListener("message", ({ data }: { readonly data: unknown }) => {
    if (typeof data === "string") handlers.onText(data);
  });
  socket.addEventListener("close", ({ code }) => handlers.onClose(code));
  return socket;
};
