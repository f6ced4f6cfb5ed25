import { newId } from "@handrail/protocol/ids";
import { describe, expect, onTestFinished, test } from "vitest";
import { canBuildRoot } from "../image/build-root.ts";
import { daemonStarts, daemonSuite } from "../testing/daemon-suite.ts";
import { canRunPodman, startPodman } from "../testing/podman-service.ts";
import { importSmallImage } from "../testing/small-image.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";

const works = (await canRunPodman()) && (await canBuildRoot());

describe.skipIf(!works)("Podman's service", () => {
  const suite = daemonSuite(startPodman);

  daemonStarts("podman", suite, { outlives: "sandboxes" });

  test("what it is, is said", async () => {
    const backend = suite.open("doctor");
    onTestFinished(() => backend.close());
    const detail = async () => (await backend.health(AbortSignal.timeout(20_000))).detail;
    await expect
      .poll(detail)
      .toMatch(/^Podman \d+\.\d+\.\S+, overlay, cgroup v[12], rootful, no user namespaces, workspaces bounded$/);
  });

  test("one whose mounts are not the machine's keeps workspaces in volumes, and says why", async () => {
    const alone = await startPodman({ shared: false });
    onTestFinished(() => alone.dispose());
    const backend = dockerBackend({
      installation: "alone",
      host: alone.host,
      sandboxdDirectory: builtPrograms(),
      egress: () => undefined,
    });
    onTestFinished(() => backend.close());
    await expect
      .poll(() => backend.health(AbortSignal.timeout(20_000)))
      .toMatchObject({
        works: true,
        detail: expect.stringMatching(/; no limits on: a workspace's size$/),
        remedy: expect.stringMatching(/its directory is not below a mount that is shared\.$/),
      });
  });

  test("in a volume a program cannot take space before it is written, nor write past the kernel's memory", async () => {
    const client = dockerClient(dockerEndpoint({ host: suite.daemon().host }));
    const image = "localhost/handrail-test/small-python:1";
    await importSmallImage(client, image, ["ctypes", "os"]);
    client.close();
    const backend = suite.open("volume", { defaultImage: image, diskHelper: false });
    onTestFinished(async () => {
      await backend.collect(new Set());
      await backend.close();
    });
    const script = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
file = os.open("file", os.O_RDWR | os.O_CREAT, 0o600)
libc.fallocate(file, 0, ctypes.c_long(0), ctypes.c_long(4096))
print(os.strerror(ctypes.get_errno()))
try: os.open("file", os.O_RDWR | os.O_DIRECT)
except OSError as e: print(e.strerror)`;
    const choice = { backend: "docker", network: { type: "none" } } as const;
    const spec = { conversationId: newId("c", Date.now()), choice, seedDirectory: undefined };
    const signal = AbortSignal.timeout(60_000);
    const sandbox = await backend.start(spec, () => undefined, signal);
    const args = { argv: ["python3", "-IS", "-c", script], timeoutMs: 60_000, capBytes: 1000 };
    expect(await sandbox.call("process.run", args, { signal })).toMatchObject({
      exitCode: 0,
      stdout: "Operation not supported\nInvalid argument\n",
    });
  });
});
