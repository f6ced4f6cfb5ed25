import { afterAll, beforeAll, describe } from "vitest";
import { keyTests } from "./litellm-keys-contract.ts";
import { ownerTests } from "./litellm-owners-contract.ts";
import { modelTests, spendTests } from "./litellm-readings-contract.ts";
import { rightsTests } from "./litellm-rights-contract.ts";
import type { LiteLlmStage } from "./litellm-stage.ts";

/** What LiteLLM's management routes must do wherever the gateway answers them. Tests share one stage: each has names of its own. */
export function litellmRoutesContract(name: string, open: () => Promise<LiteLlmStage>): void {
  describe(`LiteLLM's management routes of ${name}`, () => {
    let stage: LiteLlmStage;
    const as = () => stage.master;
    beforeAll(async () => {
      stage = await open();
    });
    afterAll(() => stage.close());
    keyTests(() => stage, as);
    ownerTests(() => stage, as);
    spendTests(() => stage, as);
    modelTests(() => stage, as);
    rightsTests(() => stage, as);
  });
}
