import { Duplex } from "node:stream";

const HEADER_BYTES = 8;
const STDOUT = 1;

/** A part of a container's output. `stdout` false means standard error. */
export type OutputPart = { readonly stdout: boolean; readonly bytes: Buffer };

/**
 * A decoder of Docker's multiplexed output: takes bytes as they come, cut anywhere, and gives the parts that they
 * hold; a long part comes in pieces. Source: Docker Engine API, "Attach to a container", stream format.
 */
export function outputDecoder(): (bytes: Buffer) => OutputPart[] {
  let header = Buffer.alloc(0);
  let stdout = true;
  let left = 0;
  return (bytes) => {
    const parts: OutputPart[] = [];
    let rest = bytes;
    while (rest.length > 0) {
      if (left === 0) {
        const taken = rest.subarray(0, HEADER_BYTES - header.length);
        rest = rest.subarray(taken.length);
        header = Buffer.concat([header, taken]);
        if (header.length < HEADER_BYTES) break;
        stdout = header[0] === STDOUT;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const piece = rest.subarray(0, left);
      parts.push({ stdout, bytes: piece });
      left -= piece.length;
      rest = rest.subarray(piece.length);
    }
    return parts;
  };
}

/**
 * The standard input and output of a program, out of a hijacked connection. Standard error goes to `onError`.
 * Destroying either end destroys the other.
 */
export function programStream(socket: Duplex, onError: (bytes: Buffer) => void): Duplex {
  const decode = outputDecoder();
  let ended = false;
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      if (socket.write(chunk)) done();
      else socket.once("drain", done);
    },
    final: (done) => {
      socket.end(done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (bytes: Buffer) => {
    for (const part of decode(bytes)) {
      if (!part.stdout) onError(part.bytes);
      else if (!stream.push(part.bytes)) socket.pause();
    }
  });
  socket.on("end", () => {
    ended = true;
    stream.push(null);
  });
  socket.on("error", (error) => stream.destroy(error));
  // After an ordinary end there may be bytes that nobody has read yet.
  socket.on("close", () => (ended ? undefined : stream.destroy()));
  return stream;
}
