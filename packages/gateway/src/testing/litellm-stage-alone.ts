import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readGatewayConfig } from "../config.ts";
import { jsonLog } from "../program/json-log.ts";
import { startGateway } from "../program/start-gateway.ts";
import { type LiteLlmStage, litellmStage, STAGE_MASTER_KEY, stageConfig, stageModel } from "./litellm-stage.ts";

/** The program that runs alone, in this process. */
export async function litellmStageAlone(): Promise<LiteLlmStage> {
  const home = mkdtempSync(join(tmpdir(), "gateway-litellm-"));
  const model = await stageModel();
  const flags = ["--config", stageConfig(home, model), "--home", home, "--port", "0"];
  const gateway = await startGateway(readGatewayConfig(flags, {}), jsonLog("silent"));
  return litellmStage({
    url: gateway.url,
    master: STAGE_MASTER_KEY,
    async close() {
      await gateway.close(0);
      await model.close();
      rmSync(home, { recursive: true, force: true });
    },
  });
}
