import { sandboxIsolationContract } from "@handrail/core/testing/sandbox-isolation-contract";
import { describe } from "vitest";
import { daemonAnswers } from "../testing/docker-daemon.ts";
import { dockerUnderTest } from "../testing/docker-bench.ts";

const answers = await daemonAnswers();

describe.skipIf(!answers)("docker sandboxes", () => {
  sandboxIsolationContract("docker", ["strict", "default", "dev"], dockerUnderTest);
});
