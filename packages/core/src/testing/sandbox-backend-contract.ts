import type { SandboxChoice } from "@handrail/protocol/sources";
import { afterAll, afterEach, describe } from "vitest";
import type { SandboxBackend } from "../ports/sandbox.ts";
import { benchOf } from "./bench-of.ts";
import {
  type BackendBench,
  type BackendUnderTest,
  freshConversation,
  NO_NETWORK,
  type UnheldLimit,
} from "./sandbox-bench.ts";
import { sandboxContract } from "./sandbox-contract.ts";
import type { SandboxOpener } from "./sandbox-fixture.ts";
import { sandboxHostilityContract } from "./sandbox-hostility-contract.ts";
import { sandboxLifeContract } from "./sandbox-life-contract.ts";

/**
 * What every backend must do. `make` is called before the tests. `isolates` is false where nothing is isolated: what
 * must not be reached is then not tested. `unheld`: limits that it does not hold here, in the order of its health.
 */
export function sandboxBackendContract(
  name: string,
  isolates: boolean,
  make: () => Promise<BackendUnderTest>,
  unheld: readonly UnheldLimit[] = [],
): void {
  describe(name, () => {
    const bench = benchOf(make);
    sandboxLifeContract(bench, isolates);
    sandboxContract(name, openerOf(bench));
    if (isolates) sandboxHostilityContract(bench, unheld);
  });
}

/** New sandboxes of one server, which is started again where a test asks for it. */
function openerOf(bench: () => BackendBench): SandboxOpener {
  let server: SandboxBackend | undefined;
  let conversations: string[] = [];
  const serve = async () => {
    const { open, installation } = bench();
    server ??= await open(`${installation}s`);
    return server;
  };
  const end = async () => {
    await server?.close();
    server = undefined;
  };
  afterEach(async () => {
    for (const conversationId of conversations) await server?.remove(conversationId);
    conversations = [];
  });
  afterAll(end);
  return async () => {
    const { within, unpack } = bench();
    const conversationId = freshConversation();
    const backend = await serve();
    conversations.push(conversationId);
    const choice: SandboxChoice = { backend: backend.name, network: NO_NETWORK };
    const spec = { conversationId, choice, seedDirectory: undefined };
    const sandbox = await backend.start(spec, () => undefined, within(60_000));
    const restartLink = async () => {
      await end();
      const found = await (await serve()).find(conversationId, within(20_000));
      if (found === undefined) throw new Error("The sandbox was not found again.");
      return found;
    };
    return { sandbox, restartLink, unpack };
  };
}
