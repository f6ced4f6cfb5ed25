import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LiteLlmStage, litellmStage, stageConfig, stageModel } from "@handrail/gateway/testing/litellm-stage";
import { type ServerFixture, serverFixture } from "./server-fixture.ts";

/** A server whose gateway has the configuration of the program that runs alone. Its own bearer token is the master key. */
export async function litellmStageWithin(): Promise<LiteLlmStage & { readonly server: ServerFixture }> {
  const directory = mkdtempSync(join(tmpdir(), "handrail-litellm-"));
  const model = await stageModel();
  const server = await serverFixture({ argv: ["--gateway-config", stageConfig(directory, model)] });
  const url = `http://${await server.listen()}`;
  // Opens the gateway, which no test then waits for.
  await fetch(`${url}/health/readiness`);
  const stage = litellmStage({
    url,
    master: server.bearer.authorization.replace("Bearer ", ""),
    async close() {
      await server.close();
      await model.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
  return { ...stage, server };
}
