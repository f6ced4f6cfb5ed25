import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { describe } from "vitest";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { dockerUnderTest } from "../testing/docker-bench.ts";

const answers = await daemonAnswers();

describe.skipIf(!answers)("docker sandboxes", () => {
  sandboxBackendContract("docker", true, dockerUnderTest);
});
