import { readFileSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import { readGatewayConfig, type GatewayConfig } from "../config.ts";
import { importFrom, sourceOf } from "../litellm/import/import-from.ts";
import type { ImportReport } from "../litellm/import/import-keys.ts";
import { openBooks } from "./open-books.ts";

/**
 * `import --from FILE|ADDRESS`: takes over a LiteLLM's keys into the books that the other options name.
 * @throws AppError `config_invalid`, `state_locked` while a gateway has the books in SQLite, and what opening the books throws
 */
export async function importKeys(argv: readonly string[], env?: GatewayConfig["environment"]): Promise<ImportReport> {
  const { from, rest } = sourceIn(argv);
  const config = readGatewayConfig(rest, env);
  const source = sourceOf(textOf(from));
  const books = await openBooks({ home: config.home, databaseUrl: await databaseOf(config) });
  try {
    return await importFrom(source, books.keys);
  } finally {
    await books.close();
  }
}

/** What the import did, in lines for people. */
export function reportText({ keys, known, users, teams, left }: ImportReport): string {
  const sum = `${keys} keys taken over, ${known} were here already; ${users} users, ${teams} teams; ${left.length} rows left.`;
  return [sum, ...left].map((line) => `${line}\n`).join("");
}

function sourceIn(argv: readonly string[]) {
  const at = argv.findIndex((word) => word === "--from");
  const from = at < 0 ? undefined : argv[at + 1];
  if (from === undefined) {
    throw new AppError("config_invalid", "Say what to import: --from FILE, or --from postgres://…");
  }
  return { from, rest: argv.toSpliced(at, 2) };
}

function textOf(from: string): string {
  if ("database" in sourceOf(from)) return from;
  try {
    return readFileSync(from, "utf8");
  } catch (cause) {
    throw new AppError("config_invalid", `The file ${from} cannot be read.`, {}, { cause });
  }
}

async function databaseOf({ databaseUrl, file, environment }: GatewayConfig): Promise<string | undefined> {
  if (databaseUrl !== undefined || file === undefined) return databaseUrl;
  const { loadLiteLlmConfig } = await import("../litellm/load-litellm-config.ts");
  return loadLiteLlmConfig(file, environment).general.databaseUrl;
}
