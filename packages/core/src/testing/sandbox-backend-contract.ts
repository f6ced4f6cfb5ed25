import { newId } from "@handrail/protocol/ids";
import type { NetworkRule, SandboxChoice } from "@handrail/protocol/sources";
import { afterAll, beforeAll, describe } from "vitest";
import type { BackendBench, BackendUnderTest } from "./sandbox-bench.ts";
import { sandboxHostilityContract } from "./sandbox-hostility-contract.ts";
import { sandboxLifeContract } from "./sandbox-life-contract.ts";

/**
 * What every backend must do. `make` is called before the tests. `isolates` is false where nothing is isolated: what
 * must not be reached is then not tested.
 */
export function sandboxBackendContract(name: string, isolates: boolean, make: () => Promise<BackendUnderTest>): void {
  describe(name, () => {
    let bench: BackendBench | undefined;
    beforeAll(async () => {
      bench = await openBench(await make());
    });
    afterAll(async () => {
      await bench?.backend.collect(new Set());
      await bench?.backend.close();
      await bench?.dispose();
    });
    const current = () => {
      if (bench === undefined) throw new Error("The backend was not opened.");
      return bench;
    };
    sandboxLifeContract(current, isolates);
    if (isolates) sandboxHostilityContract(current);
  });
}

const NO_NETWORK: NetworkRule = { type: "none" };

async function openBench(under: BackendUnderTest): Promise<BackendBench> {
  const installation = `t${newId("x", Date.now()).slice(-8)}`;
  const backend = await under.open(installation);
  const start: BackendBench["start"] = (conversationId, { network = NO_NETWORK, ...more } = {}) => {
    const choice: SandboxChoice = { backend: backend.name, network };
    return backend.start(
      { conversationId, choice, seedDirectory: undefined, ...more },
      () => undefined,
      under.within(30_000),
    );
  };
  return { ...under, backend, installation, start };
}
