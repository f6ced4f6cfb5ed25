import { sandboxIsolationContract } from "@handrail/core/testing/sandbox-isolation-contract";
import { localUnderTest } from "../testing/local-bench.ts";

sandboxIsolationContract("process", ["strict", "default", "dev"], () => localUnderTest("process"));
