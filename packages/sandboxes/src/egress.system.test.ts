import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { containerdBackend } from "./containerd/containerd-backend.ts";
import { dockerBackend } from "./docker/docker-backend.ts";
import type { Egress, EgressOrigin } from "./egress.ts";
import { processBackend } from "./process/process-backend.ts";
import { canRunContainerd } from "./testing/containerd-daemon.ts";
import { runtimeUnderTest } from "./testing/containerd-root.ts";
import { daemonAnswers, DOCKER_HOST } from "./testing/docker-daemon.ts";
import { forgetInDocker } from "./testing/forget-installation.ts";
import { builtPrograms } from "./testing/test-programs.ts";

const ANSWER = "HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const docker = await daemonAnswers();
const containerd = await canRunContainerd();

test("a program's request reaches the server's egress as its conversation's, by a proxy or by the name alone: process", () =>
  reaches("process"));
test.skipIf(!docker)(
  "a program's request reaches the server's egress as its conversation's, by a proxy or by the name alone: docker",
  () => reaches("docker"),
);

test.skipIf(!containerd)(
  "a program's request reaches the server's egress as its conversation's, by a proxy or by the name alone: containerd",
  () => reaches("containerd"),
);

async function reaches(name: "process" | "docker" | "containerd"): Promise<void> {
  // A plain user's sandboxes cannot listen at low ports.
  const transparent = name !== "process" || process.getuid?.() === 0;
  const directory = await mkdtemp(join(tmpdir(), "handrail-egress-"));
  const seen: { readonly origin: EgressOrigin; readonly asked: string }[] = [];
  const egress: Egress = (origin, stream) => {
    stream.once("data", (bytes: Buffer) => {
      seen.push({ origin, asked: bytes.toString("utf8").split("\r\n", 1)[0] ?? "" });
      stream.end(ANSWER);
    });
  };
  const common = { installation: `t${newId("x", Date.now()).slice(-8)}`, sandboxdDirectory: builtPrograms(), egress };
  const runtime = name === "containerd" ? await runtimeUnderTest() : undefined;
  const backends = {
    process: () => processBackend({ ...common, directory }),
    docker: () => dockerBackend({ ...common, host: DOCKER_HOST }),
    containerd: () => containerdBackend({ ...common, directory, address: runtime?.address }),
  };
  const backend = backends[name]();
  onTestFinished(async () => {
    await backend.collect(new Set());
    await backend.close();
    if (name === "docker") await forgetInDocker(common.installation);
    await runtime?.dispose();
    await rm(directory, { recursive: true, force: true });
  });
  const conversationId = newId("c", Date.now());
  const signal = AbortSignal.timeout(120_000);
  const spec = {
    conversationId,
    choice: { backend: name, network: { type: "none" } as const },
    seedDirectory: undefined,
  };
  const sandbox = await backend.start(spec, () => undefined, signal);
  const ask = "curl -s -o /dev/null -m 20 -w '%{http_code} '";
  const refused = "curl -sS -m 20 --noproxy '*' https://other.example/z 2>&1 | grep -o 'alert access denied'";
  const direct = `${ask} --noproxy '*' http://allowed.example/y; ${refused}`;
  const script = `${ask} http://allowed.example/x; ${transparent ? direct : ""}`;
  const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 1000 };
  expect((await sandbox.call("process.run", args, { signal })).stdout).toBe(
    transparent ? "418 418 alert access denied\n" : "418 ",
  );
  const origin = { conversationId };
  const asked = ["GET http://allowed.example/x HTTP/1.1"];
  if (transparent) asked.push("GET http://allowed.example/y HTTP/1.1", "CONNECT other.example:443 HTTP/1.1");
  expect(seen).toEqual(asked.map((line) => ({ origin, asked: line })));
}
