import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";

const ECHO = `require("node:net").createServer((socket) => { socket.setNoDelay(true); socket.pipe(socket); }).listen(0, "127.0.0.1", function () { console.log(this.address().port); })`;

/** Round trips of 100 bytes over loopback TCP to another Node process, in milliseconds. */
export async function loopbackTrips(count: number): Promise<number[]> {
  const child = spawn(process.execPath, ["-e", ECHO], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  const socket = connect(Number(port.toString()), "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  const trips: number[] = [];
  for (let trip = 0; trip < count; trip++) {
    const before = performance.now();
    socket.write("x".repeat(100));
    await once(socket, "data");
    trips.push(performance.now() - before);
  }
  socket.destroy();
  child.kill();
  return trips;
}
