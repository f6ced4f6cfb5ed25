import { connect } from "node:net";

/** Sends these bytes on a new connection; gives what came back until it closed, was `whole`, or until `ms` passed. */
export function sendRaw(
  url: string,
  bytes: string | Buffer,
  ms: number,
  whole: (text: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  let text = "";
  socket.on("data", (part: Buffer) => {
    text += part.toString("latin1");
    if (whole(text)) socket.destroy();
  });
  socket.on("error", () => resolve(text));
  socket.on("close", () => resolve(text));
  setTimeout(() => {
    socket.destroy();
    resolve(text);
  }, ms).unref();
  return promise;
}
