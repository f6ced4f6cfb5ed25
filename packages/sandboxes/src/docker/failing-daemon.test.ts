import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { dockerBackend } from "./docker-backend.ts";
import { dockerHttp } from "./docker-http.ts";

const VERSION = { ApiVersion: "1.41", MinAPIVersion: "1.12", Version: "20.10.24" };
const INFO = { ServerVersion: "20.10.24", OSType: "linux", NCPU: 2, Architecture: "x86_64" };

async function listening(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** The backend on a daemon that tells of itself and answers all else so; as what each of its calls fails. */
async function failures(answer: RequestListener) {
  const port = await listening((request, response) => {
    const told = [/_ping$/, /\/version$/, /\/info$/].findIndex((path) => path.test(request.url ?? ""));
    if (told < 0) answer(request, response);
    else response.end(JSON.stringify([{}, VERSION, INFO][told]));
  });
  const host = `tcp://127.0.0.1:${port}`;
  const backend = dockerBackend({
    host,
    installation: "a",
    sandboxdDirectory: "/nonexistent",
    egress: () => undefined,
  });
  onTestFinished(() => backend.close());
  const { signal } = new AbortController();
  const spec = {
    conversationId: "c_1",
    choice: { backend: "docker", network: { type: "none" } },
    seedDirectory: undefined,
  } as const;
  const calls = {
    find: () => backend.find("c_1", signal),
    hasWorkspace: () => backend.hasWorkspace("c_1"),
    start: () => backend.start(spec, () => undefined, signal),
    stop: () => backend.stop("c_1"),
    remove: () => backend.remove("c_1"),
    collect: () => backend.collect(new Set()),
  };
  const said = Object.entries(calls).map(async ([name, call]) => {
    const thrown = await call().then(String, (failure: unknown) => failure);
    const { code, message } = thrown as { readonly code?: string; readonly message?: string };
    return [name, `${code}: ${message}`];
  });
  return Object.fromEntries(await Promise.all(said)) as Record<string, string>;
}

test("a daemon that fails inside is told in its own words, whatever it is asked for", async () => {
  const said = await failures((_request, response) =>
    response.writeHead(500).end(JSON.stringify({ message: "no space left on device" })),
  );
  expect(said).toEqual({
    find: "sandbox_failed: Docker could not look for the sandbox: no space left on device",
    hasWorkspace: "sandbox_failed: Docker could not look for the workspace: no space left on device",
    start: "sandbox_failed: Docker could not start the sandbox: no space left on device",
    stop: "sandbox_failed: Docker could not stop the sandbox: no space left on device",
    remove: "sandbox_failed: Docker could not remove the sandbox: no space left on device",
    collect: "sandbox_failed: Docker could not be tidied: no space left on device",
  });
});

test.each([
  [
    "a daemon that is killed in the middle of an answer",
    '{"Id":',
    1000,
    /in the middle of an answer\. Look at the daemon's log\.$/,
  ],
  ["what answers in the daemon's place", "<html>", 6, /an answer that cannot be understood\.$/],
])("%s is one that cannot be reached", async (_what, body, bytes, message) => {
  const said = await failures((_request, response) => {
    response.writeHead(200, { "content-length": bytes });
    if (body.length === bytes) response.end(body);
    else response.write(body, () => response.destroy());
  });
  for (const [name, words] of Object.entries(said)) {
    expect([name, words]).toEqual([name, expect.stringMatching(/^backend_unavailable: /)]);
    expect(words).toMatch(message);
  }
});

test("a stream that a daemon does not open in time is given up", async () => {
  const port = await listening(() => undefined);
  const http = dockerHttp({ type: "tcp", host: "127.0.0.1", port });
  onTestFinished(() => http.close());
  await expect(http.hijack({ method: "POST", path: "/", timeoutMs: 20 })).rejects.toMatchObject({
    code: "backend_unavailable",
    message: `No Docker daemon answers at tcp://127.0.0.1:${port}. The daemon does not answer. Look at the daemon's log.`,
  });
});
