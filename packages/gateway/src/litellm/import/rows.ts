import { AppError } from "@handrail/protocol/errors";
import { z } from "zod";

const Text = z.string().max(4096).nullish();
/** PostgreSQL's large integers and money arrive as text. */
const Amount = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?$/)])
  .transform(Number)
  .nullish();
const Texts = z.array(z.string().max(256)).max(1000).nullish();

const Limits = {
  max_budget: Amount,
  budget_duration: Text,
  rpm_limit: Amount,
  tpm_limit: Amount,
  max_parallel_requests: Amount,
  budget_id: Text,
};

/** A row of `LiteLLM_VerificationToken`, or a key as `/key/list?return_full_object=true` shows it. */
export const KeyRow = z.object({
  token: z.string(),
  key_name: Text,
  key_alias: Text,
  user_id: Text,
  team_id: Text,
  models: Texts,
  expires: Text,
  blocked: z.boolean().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  ...Limits,
});
export type KeyRow = z.infer<typeof KeyRow>;

/** A row of `LiteLLM_UserTable`. */
export const UserRow = z.object({
  user_id: z.string().min(1).max(128),
  user_alias: Text,
  user_email: Text,
  models: Texts,
  ...Limits,
});

/** A row of `LiteLLM_TeamTable`. */
export const TeamRow = z.object({
  team_id: z.string().min(1).max(128),
  team_alias: Text,
  models: Texts,
  blocked: z.boolean().nullish(),
  ...Limits,
});

/** A row of `LiteLLM_BudgetTable`. */
export const BudgetRow = z.object({ ...Limits, budget_id: z.string() });
export type BudgetRow = z.infer<typeof BudgetRow>;

/** The fields of a row that limit its use. */
export type LimitFields = Partial<z.infer<z.ZodObject<typeof Limits>>>;

/** What a LiteLLM knows of who may use it, row by row and not yet looked at. */
export type LiteLlmRows = {
  readonly keys: readonly unknown[];
  readonly users: readonly unknown[];
  readonly teams: readonly unknown[];
  readonly budgets: readonly unknown[];
};

const MAX_ROWS = 100_000;
const MAX_CHARACTERS = 256 * 1024 * 1024;

const TABLES: Readonly<Record<keyof LiteLlmRows, string>> = {
  keys: "LiteLLM_VerificationToken",
  users: "LiteLLM_UserTable",
  teams: "LiteLLM_TeamTable",
  budgets: "LiteLLM_BudgetTable",
};

/**
 * Rows from JSON: an object with `keys`, `users`, `teams` and `budgets`, or the tables' own names; or a list of keys alone.
 *
 * @throws AppError `config_invalid`
 */
export function rowsOfExport(text: string): LiteLlmRows {
  if (text.length > MAX_CHARACTERS) throw new AppError("config_invalid", "The export is larger than 256 MiB.");
  const value = parsed(text);
  const lists: Readonly<Record<string, unknown>> = Array.isArray(value) ? { keys: value } : value;
  const rows = (kind: keyof LiteLlmRows) => listed(lists[kind] ?? lists[TABLES[kind]] ?? [], kind);
  return { keys: rows("keys"), users: rows("users"), teams: rows("teams"), budgets: rows("budgets") };
}

function parsed(text: string): Readonly<Record<string, unknown>> | unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new AppError("config_invalid", "The export is not valid JSON.", {}, { cause });
  }
  throw new AppError("config_invalid", "The export must be an object with keys, users and teams, or a list of keys.");
}

function listed(value: unknown, kind: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new AppError("config_invalid", `The export's ${kind} must be a list.`);
  if (value.length > MAX_ROWS) throw new AppError("config_invalid", `The export has more than ${MAX_ROWS} ${kind}.`);
  return value;
}

/** The statement that reads a table whole, each row as JSON, so that it does not matter which columns it has. */
export function tableQuery(kind: keyof LiteLlmRows): { readonly table: string; readonly sql: string } {
  const table = TABLES[kind];
  return { table, sql: `select to_jsonb(t) as row from "${table}" t limit ${MAX_ROWS}` };
}
