import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { LABEL, madeNames } from "../labels/made-names.ts";
import { dockerBackend } from "./docker-backend.ts";

const NAMES = madeNames("a");
const VERSION = { ApiVersion: "1.41", MinAPIVersion: "1.12", Version: "20.10.24" };
const INFO = { ServerVersion: "20.10.24", OSType: "linux", NCPU: 2, Architecture: "x86_64" };

/** A daemon that has a container and a volume of each name, with these labels, and the backend on it. */
async function setUp(labels: Readonly<Record<string, string>>) {
  const removed: string[] = [];
  const container = { Id: "theirs", State: { Running: true }, Config: { Labels: labels } };
  const volume = { Name: "theirs", Labels: labels, Mountpoint: "" };
  const server = createServer(({ method, url = "" }, response) => {
    if (method === "DELETE") removed.push(url.replace(/^\/v[\d.]+|\?.*$/g, ""));
    const answers = [
      [/_ping$/, {}],
      [/\/version$/, VERSION],
      [/\/info$/, INFO],
      [/\/volumes\//, volume],
      [/\/containers\//, container],
    ] as const;
    response.end(JSON.stringify(answers.find(([path]) => path.test(url))?.[1]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const backend = dockerBackend({
    host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    installation: "a",
    sandboxdDirectory: "/nonexistent",
    diskHelper: false,
    egress: () => undefined,
  });
  onTestFinished(async () => {
    await backend.close();
    server.closeAllConnections();
    server.close();
  });
  return { backend, removed };
}

const SPEC = {
  conversationId: "c_1",
  choice: { backend: "docker", network: { type: "none" } },
  seedDirectory: undefined,
} as const;

test.each([
  ["without labels", {}],
  ["of another installation", { [LABEL.installation]: "b", [LABEL.conversation]: "c_1" }],
])("what has the names of ours and is %s is neither used nor removed", async (_what, labels) => {
  const { backend, removed } = await setUp(labels);
  const { signal } = new AbortController();
  expect(await backend.find("c_1", signal)).toBeUndefined();
  expect(await backend.hasWorkspace("c_1")).toBe(false);
  await expect(backend.start(SPEC, () => undefined, signal)).rejects.toMatchObject({
    code: "sandbox_failed",
    message:
      "The container handrail-a-c_1 was not made by this installation of Handrail, which needs its name. Remove or rename it.",
  });
  await backend.stop("c_1");
  await backend.remove("c_1");
  expect(removed).toEqual([]);
});

test("what is ours goes with its conversation", async () => {
  const { backend, removed } = await setUp(NAMES.labels("c_1"));
  await backend.remove("c_1");
  const volumes = [NAMES.workspace("c_1"), NAMES.state("c_1"), NAMES.disk("c_1"), NAMES.users("c_1")];
  const [workspace = "", , disk = ""] = volumes;
  const all = [...volumes, NAMES.whole(workspace), NAMES.whole(disk)].map((name) => `/volumes/${name}`);
  expect(new Set(removed)).toEqual(new Set(["/containers/theirs", ...all]));
});
