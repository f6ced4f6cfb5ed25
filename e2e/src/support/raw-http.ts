import { connect } from "node:net";

/** Sends these bytes on a new connection; gives what came back until it closed, or until `ms` passed. */
export function sendRaw(url: string, bytes: string | Buffer, ms = 3000): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  let text = "";
  socket.on("data", (part: Buffer) => (text += part.toString("latin1")));
  socket.on("error", () => resolve(text));
  socket.on("close", () => resolve(text));
  setTimeout(() => {
    socket.destroy();
    resolve(text);
  }, ms);
  return promise;
}
