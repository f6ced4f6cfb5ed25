import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { expect, onTestFinished, test } from "vitest";
import { daemonAnswers, DOCKER_HOST } from "../testing/docker-daemon.ts";
import { forgetInstallation } from "../testing/forget-installation.ts";
import { type ChurnWish, openChurned } from "../testing/killed-servers.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { LABEL } from "../labels/made-names.ts";

const answers = await daemonAnswers();
const WAIT_MS = 60_000;

/** A new installation of so many servers, each with a conversation of its own. */
async function servers(kind: ChurnWish["kind"], count: number) {
  const directory = await mkdtemp(join(tmpdir(), "handrail-programs-"));
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  const backends = Array.from({ length: count }, () => openChurned({ kind, directory, installation }));
  const ids = backends.map(() => newId("c", Date.now()));
  onTestFinished(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
    await forgetInstallation(client, installation);
    client.close();
    await rm(directory, { recursive: true, force: true });
  });
  const choice = { backend: "docker", network: { type: "none" } } as const;
  const start = async (at: number) => {
    const spec = { conversationId: ids[at] ?? "", choice, seedDirectory: undefined };
    const sandbox = await backends[at]?.start(spec, () => undefined, AbortSignal.timeout(WAIT_MS));
    const args = { argv: ["sh", "-c", "echo works"], timeoutMs: WAIT_MS, capBytes: 100 };
    return (await sandbox?.call("process.run", args, { signal: AbortSignal.timeout(WAIT_MS) }))?.stdout;
  };
  const ours = [`${LABEL.installation}=${installation}`];
  const isOfPrograms = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) =>
    labels[LABEL.conversation] === undefined;
  /** What there is in the daemon that is of no conversation, but for helpers. */
  const shared = async () => ({
    containers: (await client.listContainers(ours)).filter(isOfPrograms).filter(({ labels }) => !labels[LABEL.helper]),
    volumes: (await client.listVolumes(ours)).filter(isOfPrograms).map(({ name }) => name.replace(/-[0-9a-f]{12}/, "")),
  });
  const programs = async () =>
    (await client.listVolumes(ours))
      .filter(({ name, labels }) => labels[LABEL.programs] === name)
      .map(({ name }) => name);
  return { client, backends, ids, start, shared, programs, prefix: `handrail-${installation}-programs` };
}

test.skipIf(!answers).each(["volumes", "helper"] as const)(
  "servers that start the first sandboxes of an installation at the same time all succeed, on the same programs: %s",
  { timeout: 3 * WAIT_MS },
  async (kind) => {
    const { backends, start, shared, prefix } = await servers(kind, 3);
    const all = [...backends.keys()];
    expect(await Promise.all(all.map(start))).toEqual(all.map(() => "works\n"));
    const details = await Promise.all(backends.map((one) => one.health(AbortSignal.timeout(WAIT_MS))));
    const bounded = kind === "helper" ? "workspaces bounded" : "no limits on: a workspace's size";
    expect(details.map(({ detail }) => detail.includes(bounded))).toEqual(all.map(() => true));
    const { containers, volumes } = await shared();
    expect(containers).toEqual([]);
    expect(volumes.length).toBe(2);
    expect(volumes.filter((name) => name !== `${prefix}-whole`)).toEqual([
      expect.stringMatching(`^${prefix}-[0-9a-z]{8}$`),
    ]);
  },
);

test.skipIf(!answers)("programs that somebody removed are filled in again", { timeout: 3 * WAIT_MS }, async () => {
  const { client, backends, ids, start, programs } = await servers("volumes", 2);
  expect(await start(0)).toBe("works\n");
  await backends[0]?.remove(ids[0] ?? "");
  const [removed = ""] = await programs();
  await client.removeVolume(removed);
  expect([await start(0), await start(1)]).toEqual(["works\n", "works\n"]);
  expect((await programs()).length).toBe(1);
});
