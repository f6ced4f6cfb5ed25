import { createServer } from "node:net";
import { expect, test } from "vitest";
import { listeningPorts, listeningSockets } from "./listening-ports.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:A6C2 01 00000000:00000000 00:00000000 00000000  1000        0 42 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 43 1 0000000000000000 100 0 0 10 0
`;

test("only sockets that listen are found, with their ports", () => {
  expect(listeningSockets(TABLE)).toEqual([
    { port: 8080, inode: "41" },
    { port: 22, inode: "43" },
  ]);
  expect(listeningSockets("")).toEqual([]);
  expect(listeningSockets("header\nrubbish\n")).toEqual([]);
});

test("a port is named with the program that holds it, unless it is one's own", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const found = listeningPorts(new Set([])).find((entry) => entry.port === port);
  expect(found?.program).toEqual(expect.any(String));
  expect(listeningPorts(new Set([port])).map((entry) => entry.port)).not.toContain(port);
  server.close();
});
