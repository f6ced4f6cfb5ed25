import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { type LiteLlmConfig, parseLiteLlmConfig } from "./litellm-config.ts";

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Reads a `config.yaml` of LiteLLM. Files that it names are found from its directory.
 *
 * @throws AppError `config_invalid` when it cannot be read or is wrong
 */
export function loadLiteLlmConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): LiteLlmConfig {
  const read = (name: string) => readText(path.resolve(path.dirname(file), name));
  return parseLiteLlmConfig(readText(path.resolve(file)), { file: path.basename(file), environment, read });
}

function readText(file: string): string {
  try {
    if (statSync(file).size > MAX_BYTES) throw new AppError("config_invalid", `The file ${file} is larger than 8 MiB.`);
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("config_invalid", `The file ${file} cannot be read.`, {}, { cause });
  }
}
