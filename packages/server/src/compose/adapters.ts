import { demoRepositoryDirectory } from "@handrail/scripted-model/demo";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { BackendLoaders } from "./backends.ts";

/** Where the demo's repository is. */
export const demoDirectory: string = demoRepositoryDirectory;

/** How each backend of this server is made, each when it is first needed. */
export function backendLoaders(_config: Config, _log: Logger): BackendLoaders {
  return {};
}
