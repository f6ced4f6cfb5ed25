import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** A WebSocket client that does next to nothing, so that a thousand of them fit beside the server that is measured. */
export type RawSocket = {
  send(message: object): void;
  /** Stops reading: the server's bytes pile up. */
  pause(): void;
  close(): void;
};

type Opening = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly token: string;
  /** Gets the text of each whole text frame. */
  readonly onText: (text: string) => void;
};

/** Opens `/api/socket`; resolves once the server has upgraded it (RFC 6455 §4). */
export function openRawSocket({ url, token, onText }: Opening): Promise<RawSocket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  const key = randomBytes(16).toString("base64");
  const head = ["GET /api/socket HTTP/1.1", `host: ${host}`, "connection: Upgrade", "upgrade: websocket"];
  const rest = ["sec-websocket-version: 13", `sec-websocket-key: ${key}`, `authorization: Bearer ${token}`, "", ""];
  socket.write([...head, ...rest].join("\r\n"));
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    let waiting = Buffer.alloc(0);
    const upgrade = (bytes: Buffer) => {
      waiting = Buffer.concat([waiting, bytes]);
      const end = waiting.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", upgrade);
      if (!waiting.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) {
        reject(new Error(`the socket was refused: ${waiting.subarray(0, 60).toString().split("\r\n")[0] ?? ""}`));
        return;
      }
      readFrames(socket, waiting.subarray(end + 4), onText);
      resolve({
        send: (message) => socket.write(maskedFrame(JSON.stringify(message))),
        pause: () => socket.pause(),
        close: () => socket.destroy(),
      });
    };
    socket.on("data", upgrade);
  });
}

const TEXT = 0x1;
const PING = 0x9;

/** Reads unmasked, unfragmented frames (RFC 6455 §5.2), which is all that servers here send. */
function readFrames(socket: Socket, first: Buffer, onText: (text: string) => void): void {
  let held = first;
  const read = (bytes: Buffer) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    for (;;) {
      const frame = frameIn(held);
      if (frame === undefined) return;
      held = held.subarray(frame.end);
      if (frame.opcode === TEXT) onText(frame.payload.toString("latin1"));
      else if (frame.opcode === PING) socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
    }
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", read);
  read(Buffer.alloc(0));
}

function frameIn(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.length < end) return undefined;
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(start, end), end };
}

/** Masked with zeros: the mask protects proxies from pages, and here is neither. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0xfe, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
