import { connect } from "node:net";

/** Joins standard input and output to the daemon's socket until either ends. Gives the exit code. */
export function joinSocket(path: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on("connect", () => {
      process.stdin.pipe(socket);
      socket.pipe(process.stdout);
    });
    socket.on("error", (error) => {
      process.stderr.write(`sandboxd: ${error.message}\n`);
      resolve(1);
    });
    socket.on("close", () => resolve(0));
    process.stdin.on("close", () => resolve(0));
  });
}
