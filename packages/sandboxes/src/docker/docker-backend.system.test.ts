import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { describe } from "vitest";
import { daemonAnswers, DOCKER_HOST } from "../testing/docker-daemon.ts";
import { seedDirectory } from "../testing/seed-directory.ts";
import { builtPrograms } from "../testing/test-programs.ts";
import { dockerBackend } from "./docker-backend.ts";
import { dockerClient } from "./docker-client.ts";
import { dockerEndpoint } from "./docker-endpoint.ts";
import { dockerNames } from "./docker-names.ts";

const LIMITS = { memoryBytes: 512 * 1024 ** 2, processes: 200 };
const answers = await daemonAnswers();

describe.skipIf(!answers)("docker sandboxes", () => {
  sandboxBackendContract("docker", true, async () => {
    process.env["HANDRAIL_TEST_SECRET"] = "secret";
    const home = await mkdtemp(join(tmpdir(), "handrail-docker-"));
    const client = dockerClient(dockerEndpoint({ host: DOCKER_HOST }));
    const common = { host: DOCKER_HOST, sandboxdDirectory: builtPrograms(), egress: () => undefined, limits: LIMITS };
    return {
      open: async (installation: string) => dockerBackend({ ...common, installation }),
      killFromOutside: async (installation: string, conversationId: string) =>
        client.killContainer(dockerNames(installation).container(conversationId)),
      seed: seedDirectory,
      hostPath: home,
      limits: LIMITS,
      within: (timeoutMs: number) => AbortSignal.timeout(timeoutMs),
      dispose: async () => {
        client.close();
        await rm(home, { recursive: true, force: true });
      },
    };
  });
});
