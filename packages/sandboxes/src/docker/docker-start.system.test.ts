import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import type { AppError } from "@handrail/protocol/errors";
import { newId } from "@handrail/protocol/ids";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { expect, onTestFinished, test } from "vitest";
import { directoryTar } from "../directory-tar.ts";
import { daemonAnswers, DOCKER_HOST } from "../testing/docker-daemon.ts";
import { forgetInstallation } from "../testing/forget-installation.ts";
import { canMakeMuslRoot, MUSL_WORK, muslRoot, workIn, writeToData } from "../testing/musl-root.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { nothingImage } from "./nothing-image.ts";
import { madeNames } from "../labels/made-names.ts";

const answers = await daemonAnswers();
const network = { type: "none" } as const;

function setUp(devRuntime?: string) {
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
  const common = { host: DOCKER_HOST, installation, sandboxdDirectory: builtPrograms(), egress: () => undefined };
  const backend = dockerBackend({ ...common, devRuntime, diskHelper: false });
  onTestFinished(async () => {
    await backend.collect(new Set());
    await backend.close();
    await forgetInstallation(client, installation);
    client.close();
  });
  const start = (conversationId: string, image?: string, profile: SandboxProfile = "default") => {
    const choice = { backend: "docker", network, profile, ...(image === undefined ? {} : { image }) } as const;
    const spec = { conversationId, choice, seedDirectory: undefined };
    return backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
  };
  return { backend, client, start, names: madeNames(installation) };
}

test.skipIf(!answers)("an image without a shell is refused with what to do, and nothing stays", async () => {
  const { client, start, names } = setUp();
  await client.importImage(Readable.from([directoryTar(["bin", "etc"], 0)]), "handrail-test/empty", "1", []);
  const conversationId = newId("c", Date.now());
  const failure = await start(conversationId, "handrail-test/empty:1").catch((error: AppError) => error);
  expect(failure).toMatchObject({ code: "image_unavailable", message: expect.stringContaining("has no shell") });
  expect(await client.findContainer(names.container(conversationId))).toBeUndefined();
});

/** A sandbox of a new image with musl and BusyBox alone, made with these changes to its configuration. */
async function startOnMusl(name: string, changes: readonly string[]) {
  const { client, start } = setUp();
  const tarFile = await muslRoot();
  onTestFinished(() => rm(tarFile));
  await client.importImage(createReadStream(tarFile), `handrail-test/${name}`, "1", changes);
  return start(newId("c", Date.now()), `handrail-test/${name}:1`);
}

test.skipIf(!answers || !canMakeMuslRoot())("an image with musl, without the GNU C library, serves", async () => {
  expect(await workIn(await startOnMusl("musl", []))).toEqual(MUSL_WORK);
});

test.skipIf(!answers || !canMakeMuslRoot())(
  "what an image calls a volume is empty, and cannot be written",
  async () => {
    expect(await writeToData(await startOnMusl("volume", ["VOLUME /data", "VOLUME /tmp"]))).toBe("refused\n");
  },
);

test.skipIf(!answers)("an image that can neither be found nor pulled is refused with what to do", async () => {
  const { start } = setUp();
  const failure = await start(newId("c", Date.now()), "127.0.0.1:1/none:1").catch((error: AppError) => error);
  expect(failure).toMatchObject({ code: "image_unavailable", message: expect.stringContaining("docker pull") });
});

test.skipIf(!answers)(
  "the profile dev has the runtime that is set, and one that the daemon lacks is refused",
  async () => {
    const other = "io.containerd.runc.v2";
    const { backend, start, names } = setUp(other);
    const id = newId("c", Date.now());
    await start(id, undefined, "dev");
    const inspect = ["inspect", "-f", "{{.HostConfig.Runtime}}", names.container(id)];
    const host = DOCKER_HOST ?? "unix:///var/run/docker.sock";
    expect(execFileSync("docker", ["--host", host, ...inspect], { encoding: "utf8" })).toBe(`${other}\n`);
    expect((await backend.health(AbortSignal.timeout(60_000))).detail).toContain(`${other} for the profile dev`);
    const without = setUp("sysbox-runc").start(newId("c", Date.now()), undefined, "dev");
    const failure = await without.catch((error: AppError) => error);
    expect(failure).toMatchObject({ code: "backend_unavailable", details: { runtime: "sysbox-runc" } });
  },
);

test.skipIf(!answers)("a workspace whose filling was cut off does not count, and is filled anew", async () => {
  const { backend, client, start, names } = setUp();
  const conversationId = newId("c", Date.now());
  await start(conversationId);
  await backend.stop(conversationId);
  expect(await backend.hasWorkspace(conversationId)).toBe(true);
  await client.removeVolume(names.whole(names.workspace(conversationId)));
  expect(await backend.hasWorkspace(conversationId)).toBe(false);
  await start(conversationId);
  expect(await backend.hasWorkspace(conversationId)).toBe(true);
});

test.skipIf(!answers)("the first sandboxes of an installation may start at the same time", async () => {
  const { start } = setUp();
  const sandboxes = await Promise.all(Array.from({ length: 4 }, () => start(newId("c", Date.now()))));
  expect(new Set(sandboxes.map(({ bootId }) => bootId)).size).toBe(4);
});

test.skipIf(!answers)("removals of one container at the same time all wait until it is gone", async () => {
  const { client, start, names } = setUp();
  const conversationId = newId("c", Date.now());
  await start(conversationId);
  const name = names.container(conversationId);
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      await client.removeContainer(name);
      expect(await client.findContainer(name)).toBeUndefined();
    }),
  );
});

test.skipIf(!answers)(
  "a container and volumes of others that have the names of ours are left as they are",
  async () => {
    const { backend, client, start, names } = setUp();
    const [container, volume] = [names.container("c_taken"), names.workspace("c_taken")];
    const image = await nothingImage(client);
    const id = await client.createContainer(container, {
      Image: image,
      Entrypoint: ["none"],
      Cmd: [],
      Labels: {},
      HostConfig: {},
    });
    onTestFinished(() => client.removeContainer(id));
    await client.createVolume(volume, { theirs: "" });
    onTestFinished(() => client.removeVolume(volume));
    const look = () => Promise.all([client.findContainer(container), client.findVolume(volume)]);
    const before = await look();
    const said = [`The container ${container} was not made`, `The volume ${volume} was not made`];
    await expect(start("c_taken")).rejects.toMatchObject({ message: expect.stringContaining(said[0] ?? "") });
    await backend.remove("c_taken");
    expect(await look()).toEqual(before);
    await client.removeContainer(id);
    await expect(start("c_taken")).rejects.toMatchObject({ message: expect.stringContaining(said[1] ?? "") });
    expect(await client.findVolume(volume)).toEqual(before[1]);
  },
);

test.skipIf(!answers)(
  "an image is listed by its label, and keeps its name while a container is made of it",
  async () => {
    const { client } = setUp();
    const [label, reference] = [`handrail.test=${newId("x", Date.now())}`, "handrail-test/labelled:1"];
    const tar = Readable.from([directoryTar(["bin"], 0)]);
    await client.importImage(tar, "handrail-test/labelled", "1", [`LABEL ${label}`]);
    const spec = { Image: reference, Entrypoint: ["none"], Cmd: [], Labels: {}, HostConfig: {} };
    const id = await client.createContainer(`labelled-${newId("x", Date.now())}`, spec);
    onTestFinished(() => client.removeContainer(id));
    const references = async () => (await client.listImages([label])).map((image) => image.references);
    expect(await references()).toEqual([[reference]]);
    await expect(client.removeImage(reference)).rejects.toMatchObject({ status: 409 });
    await client.removeContainer(id);
    await client.removeImage(reference);
    expect(await references()).toEqual([]);
  },
);
