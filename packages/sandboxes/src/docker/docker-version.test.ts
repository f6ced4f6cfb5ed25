import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { dockerHttp } from "./docker-http.ts";
import { negotiatedVersion } from "./docker-version.ts";

/** The version agreed with a server that answers this to `/version`, or why there is none. */
async function agreedWith(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const http = dockerHttp({ type: "tcp", host: "127.0.0.1", port });
  onTestFinished(() => {
    http.close();
    server.close();
  });
  return negotiatedVersion(http, "here").catch((error: Error) => error.message);
}

const versions = (ApiVersion: string, MinAPIVersion: string) => JSON.stringify({ ApiVersion, MinAPIVersion });

test("the newest version that both sides speak is taken, from Docker 20.10 to 29 and with Podman", async () => {
  expect(await agreedWith(200, versions("1.41", "1.12"))).toBe("1.41");
  expect(await agreedWith(200, versions("1.52", "1.44"))).toBe("1.47");
  expect(await agreedWith(200, versions("1.41", "1.24"))).toBe("1.41");
});

test("a daemon that is too old or too new is refused with what to do", async () => {
  expect(await agreedWith(200, versions("1.40", "1.12"))).toBe(
    "What answers at here is not Docker 20.10 or newer (API version 1.40). Update it.",
  );
  expect(await agreedWith(200, versions("1.60", "1.50"))).toMatch(/speaks API 1\.50 and newer.*Update Handrail/);
});

test("what is not a Docker daemon is told so", async () => {
  expect(await agreedWith(200, "<html>hello</html>")).toMatch(/^What answers at here is not a Docker daemon/);
  expect(await agreedWith(404, "not found")).toMatch(/not a Docker daemon \(not found\)/);
  expect(await agreedWith(200, "{}")).toMatch(/API version unknown/);
});

test("a port that wants TLS is told from others", async () => {
  expect(await agreedWith(400, "Client sent an HTTP request to an HTTPS server.")).toBe(
    "The Docker daemon at here wants TLS. Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH.",
  );
});
