import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { describe } from "vitest";
import { localUnderTest } from "../testing/local-bench.ts";

describe("local sandboxes", () => {
  sandboxBackendContract("process", true, () => localUnderTest("process"));
  sandboxBackendContract("none", false, () => localUnderTest("none"));
});
