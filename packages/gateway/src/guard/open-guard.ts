import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import type { Logger } from "pino";
import type { GatewayParts } from "../gateway.ts";

/** What is looked at and kept of requests; nothing by default. */
export type GuardSettings = {
  readonly redact: boolean;
  /** Further patterns, one a line. */
  readonly patternsFile: string | undefined;
  /** Undefined: bodies are not kept. */
  readonly bodies: BodySettings | undefined;
};

/** How long bodies of calls are kept, and how much of them. */
export type BodySettings = { readonly keepMs: number; readonly maxBytes: number; readonly maxTotalBytes: number };

/** Where bodies are kept, and who is told when that does not work. */
export type GuardPlace = { readonly home: string; readonly log: Pick<Logger, "warn"> };

/** For the gateway that it stands guard over. */
export type Guard = {
  readonly parts: Pick<GatewayParts, "redactor" | "bodies">;
  /** After the gateway: what is to be kept of its calls is written. */
  close(): Promise<void>;
};

/** Only what is asked for is loaded. @throws AppError `config_invalid` naming the file of patterns */
export async function openGuard(settings: GuardSettings, place: GuardPlace): Promise<Guard> {
  const redactor = settings.redact ? await openRedactor(settings.patternsFile) : undefined;
  const bodies = settings.bodies && (await openBodies(settings.bodies, place));
  return {
    parts: { ...(redactor && { redactor }), ...(bodies && { bodies }) },
    async close() {
      await bodies?.close();
    },
  };
}

async function openBodies(settings: BodySettings, { home, log }: GuardPlace) {
  const { openBodyStore } = await import("./open-body-store.ts");
  const onTrouble = (thrown: unknown) => log.warn({ err: thrown }, "bodies of calls cannot be kept");
  return openBodyStore({ ...settings, directory: join(home, "gateway-bodies"), onTrouble });
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
