import type { SandboxChoice } from "@handrail/protocol/sources";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import {
  type BackendBench,
  type BackendUnderTest,
  closeBench,
  freshConversation,
  NO_NETWORK,
  openBench,
} from "./sandbox-bench.ts";
import { sandboxContract } from "./sandbox-contract.ts";
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
    afterAll(() => closeBench(bench));
    const current = () => {
      if (bench === undefined) throw new Error("The backend was not opened.");
      return bench;
    };
    sandboxLifeContract(current, isolates);
    callsContract(name, current);
    if (isolates) sandboxHostilityContract(current);
  });
}

/** What every sandbox must do, on sandboxes of this backend, with a server that is started again in between. */
function callsContract(name: string, bench: () => BackendBench): void {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of opened.splice(0)) await end();
  });
  sandboxContract(name, async () => {
    const { open, installation, within } = bench();
    const conversationId = freshConversation();
    let backend = await open(`${installation}s`);
    opened.push(async () => {
      await backend.remove(conversationId);
      await backend.close();
    });
    const choice: SandboxChoice = { backend: backend.name, network: NO_NETWORK };
    const spec = { conversationId, choice, seedDirectory: undefined };
    const sandbox = await backend.start(spec, () => undefined, within(30_000));
    const restartLink = async () => {
      await backend.close();
      backend = await open(`${installation}s`);
      const found = await backend.find(conversationId, within(10_000));
      if (found === undefined) throw new Error("The sandbox was not found again.");
      return found;
    };
    return { sandbox, restartLink };
  });
}
