import { sandboxBackendContract } from "@handrail/core/testing/sandbox-backend-contract";
import { localUnderTest } from "../testing/local-bench.ts";

sandboxBackendContract("process", true, () => localUnderTest("process"));
