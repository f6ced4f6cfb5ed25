import { readFileSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import type { GatewayParts } from "../gateway.ts";

/** What is looked at and kept of requests; nothing by default. */
export type GuardSettings = {
  readonly redact: boolean;
  /** Further patterns, one a line. */
  readonly patternsFile: string | undefined;
};

/** For the gateway that it stands guard over. */
export type Guard = {
  readonly parts: Pick<GatewayParts, "redactor">;
};

/** Only what is asked for is loaded. @throws AppError `config_invalid` naming the file of patterns */
export async function openGuard({ redact, patternsFile }: GuardSettings): Promise<Guard> {
  const redactor = redact ? await openRedactor(patternsFile) : undefined;
  return { parts: { ...(redactor && { redactor }) } };
}

async function openRedactor(file: string | undefined) {
  const { createRedactor } = await import("./redactor.ts");
  if (file === undefined) return createRedactor();
  const { configuredPatterns } = await import("./configured-patterns.ts");
  return createRedactor(configuredPatterns(textOf(file), file));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new AppError("config_invalid", `The file of patterns ${file} cannot be read.`, {}, { cause });
  }
}
