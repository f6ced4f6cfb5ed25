import { pythonPackages } from "@handrail/gateway/testing/clients/client-packages";
import { runClient } from "@handrail/gateway/testing/clients/run-client";
import type { LiteLlmStage } from "@handrail/gateway/testing/litellm-stage";
import { litellmStageAlone } from "@handrail/gateway/testing/litellm-stage-alone";
import { expect, test } from "vitest";
import { litellmStageWithin } from "../../testing/litellm-stage-within.ts";

const RUN_MS = 600_000;

const STAGES: readonly (readonly [string, () => Promise<LiteLlmStage>])[] = [
  ["within the server", litellmStageWithin],
  ["alone", litellmStageAlone],
];

test.for(STAGES)(
  "LiteLLM's own client manages a gateway %s, and asks a model there",
  { timeout: RUN_MS },
  async ([, open], context) => {
    const packages = await pythonPackages();
    if ("missing" in packages) {
      process.stderr.write(`LiteLLM's client was not tried: ${packages.missing}\n`);
      return context.skip(packages.missing);
    }
    const stage = await open();
    try {
      const settings = { baseUrl: stage.url, key: stage.master };
      const { client } = await runClient("litellm_client_pypi.py", packages.directory, settings);
      expect(client).toEqual({
        user: ["pia", 2],
        models: ["gpt"],
        modelInfo: ["gpt"],
        groups: ["gpt"],
        said: "Hello",
        own: "renamed",
        info: "pia",
        listed: [["renamed", ["gpt"]]],
        team: ["by-client", ["Theirs"]],
        ready: "healthy",
        forbidden: 403,
        wrong: "UnauthorizedError",
        deleted: 1,
        after: "UnauthorizedError",
      });
    } finally {
      await stage.close();
    }
  },
);
