import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { dockerClient } from "./docker-client.ts";

/** A client of a daemon that answers so. */
async function clientOf(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = dockerClient({ type: "tcp", host: "127.0.0.1", port });
  onTestFinished(() => {
    client.close();
    server.close();
  });
  return client;
}

test("what a daemon is may be waited for as long as the caller wishes", async () => {
  const client = await clientOf((request, response) => {
    const answer = () => response.end(JSON.stringify({ ApiVersion: "1.41", ServerVersion: "20.10.24", NCPU: 2 }));
    if (request.url?.endsWith("/info") === true) setTimeout(answer, 100);
    else answer();
  });
  const { signal } = new AbortController();
  await expect(client.info(signal, 20)).rejects.toMatchObject({ code: "backend_unavailable" });
  expect(await client.info(signal, 20_000)).toMatchObject({ version: "20.10.24", cpus: 2 });
});

test("with a container go the volumes that its image asked for, which have no name", async () => {
  const asked: string[] = [];
  const client = await clientOf((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify({ ApiVersion: "1.41" }));
  });
  await client.removeContainer("handrail-a-c_1");
  expect(asked.at(-1)).toBe("DELETE /v1.41/containers/handrail-a-c_1?force=1&v=1");
});

test("a container that goes while it is asked for is not there, also in Podman's words", async () => {
  const gone = "container 77d57e does not exist in database: no such container";
  const client = await clientOf((request, response) => {
    const isAsked = request.url?.includes("/containers/") === true;
    response.statusCode = isAsked ? 500 : 200;
    response.end(JSON.stringify(isAsked ? { message: gone } : { ApiVersion: "1.41" }));
  });
  expect(await client.findContainer("handrail-a-c_1")).toBe(undefined);
  await client.removeContainer("handrail-a-c_1");
});

test("a daemon that refuses an archive need not read it to its end", async () => {
  const server = createSocketServer((socket) => {
    const answer = (status: string, text: string) =>
      void socket.write(`HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    socket.on("data", (bytes) => {
      if (!bytes.toString("latin1").startsWith("PUT")) return answer("200 OK", '{"ApiVersion":"1.41"}');
      socket.pause();
      answer("500 Internal Server Error", '{"message":"no space"}');
    });
    onTestFinished(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = dockerClient({ type: "tcp", host: "127.0.0.1", port });
  onTestFinished(() => {
    client.close();
    server.close();
  });
  const tar = new Readable({ read: () => void tar.push(Buffer.alloc(65_536)) });
  await expect(client.putArchive("c", { path: "/", tar })).rejects.toMatchObject({ status: 500, message: "no space" });
});
