import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { dockerClient } from "./docker-client.ts";

test("what a daemon is may be waited for as long as the caller wishes", async () => {
  const server = createServer((request, response) => {
    const answer = () => response.end(JSON.stringify({ ApiVersion: "1.41", ServerVersion: "20.10.24", NCPU: 2 }));
    if (request.url?.endsWith("/info") === true) setTimeout(answer, 100);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = dockerClient({ type: "tcp", host: "127.0.0.1", port });
  onTestFinished(() => {
    client.close();
    server.close();
  });
  const { signal } = new AbortController();
  await expect(client.info(signal, 20)).rejects.toMatchObject({ code: "backend_unavailable" });
  expect(await client.info(signal, 20_000)).toMatchObject({ version: "20.10.24", cpus: 2 });
});
