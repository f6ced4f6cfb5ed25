import type { KeyImport } from "@handrail/protocol/gateway";
import type { Keys } from "../../ports/keys.ts";
import { importLiteLlmKeys, type ImportReport } from "./import-keys.ts";
import { type LiteLlmRows, rowsOfExport } from "./rows.ts";

/** The address of a database, or the text of an export. */
export function sourceOf(text: string): KeyImport {
  const address = text.trim();
  return /^postgres(?:ql)?:\/\/\S+$/.test(address) ? { database: address } : { export: text };
}

/**
 * Takes over the keys of a LiteLLM, from what it exported or out of its database.
 * @throws AppError `config_invalid`, and what the books throw
 */
export async function importFrom(source: KeyImport, keys: Keys): Promise<ImportReport> {
  return await importLiteLlmKeys(await rowsOf(source), keys);
}

async function rowsOf(source: KeyImport): Promise<LiteLlmRows> {
  if ("export" in source) return rowsOfExport(source.export);
  const { rowsOfDatabase } = await import("./read-database.ts");
  return await rowsOfDatabase(source.database);
}
