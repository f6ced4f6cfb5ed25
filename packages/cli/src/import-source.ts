import { readFile } from "node:fs/promises";
import type { KeyImport } from "@handrail/protocol/gateway";
import { UsageError } from "./exit-codes.ts";

const ADDRESS = /^postgres(?:ql)?:\/\/\S+$/;

/** What a LiteLLM's keys are read from: an address, or a file with one or with an export. @throws UsageError */
export async function importSource(file: string, given: string): Promise<KeyImport> {
  if (ADDRESS.test(given)) return { database: given };
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) throw new UsageError(`The file ${given} cannot be read.`);
  return ADDRESS.test(text.trim()) ? { database: text.trim() } : { export: text };
}
