import { AppError } from "@handrail/protocol/errors";
import type { z } from "zod";
import type { Keys, NewKey, Owner, OwnerRecord } from "../../ports/keys.ts";
import { defined } from "../defined.ts";
import { type BudgetsById, limitsOf } from "./limits.ts";
import { BudgetRow, KeyRow, type LiteLlmRows, TeamRow, UserRow } from "./rows.ts";

/** What an import did. `left` says for each row that was not taken over which it is and why; no key is shown. */
export type ImportReport = {
  readonly keys: number;
  /** Keys that were here already; they are left as they are. */
  readonly known: number;
  readonly users: number;
  readonly teams: number;
  readonly left: readonly string[];
};

const HASH = /^[0-9a-f]{64}$/;
/** The team of the keys that LiteLLM's page makes for itself. */
const DASHBOARD = "litellm-dashboard";
const NOBODY: Owner = { kind: "user", id: "litellm" };

/**
 * Takes over who may use a LiteLLM: its keys go on working, because they are kept as the same hashes. What was spent there is not:
 * budgets start anew. Can be repeated; what is here already is not changed.
 *
 * @throws AppError `books_unavailable`
 */
export async function importLiteLlmKeys(rows: LiteLlmRows, keys: Keys): Promise<ImportReport> {
  const left: string[] = [];
  const budgets: BudgetsById = new Map(
    read(rows.budgets, BudgetRow, "budget", left).map((row) => [row.budget_id, row]),
  );
  const users = read(rows.users, UserRow, "user", left);
  const teams = read(rows.teams, TeamRow, "team", left);
  const owners: readonly (OwnerRecord | string)[] = [
    ...users.map((row) => ownerOf({ kind: "user", id: row.user_id }, row.user_alias ?? row.user_email, row, budgets)),
    ...teams.map((row) => ownerOf({ kind: "team", id: row.team_id }, row.team_alias, row, budgets)),
  ];
  for (const owner of owners) {
    if (typeof owner === "string") left.push(owner);
    else if ((await keys.owner(owner)) === undefined) await keys.saveOwner(owner);
  }
  const blocked = new Set(teams.filter((team) => team.blocked === true).map((team) => team.team_id));
  const counts = { taken: 0, known: 0 };
  for (const row of read(rows.keys, KeyRow, "key", left)) {
    const outcome = await importKey(row, { keys, budgets, blocked });
    if (outcome === "taken" || outcome === "known") counts[outcome] += 1;
    else left.push(outcome);
  }
  return { keys: counts.taken, known: counts.known, users: users.length, teams: teams.length, left };
}

type Importing = { readonly keys: Keys; readonly budgets: BudgetsById; readonly blocked: ReadonlySet<string> };

/** `taken`, `known`, or why not. */
async function importKey(row: KeyRow, { keys, budgets, blocked }: Importing): Promise<string> {
  const refusal = refusalOf(row);
  if (refusal) return refusal;
  const known = await keys.find(row.token);
  const wanted = known ?? attempted(() => newKey(row, budgets));
  if (typeof wanted === "string") return `${whoIs(row)}: ${wanted}`;
  const record = known ?? (await keys.adopt({ ...wanted, hash: row.token, hint: hintOf(row) }));
  // Of a known one too: an import that was cut off may have left it open.
  const stopped = row.blocked === true || blocked.has(row.team_id ?? "");
  if (stopped && record.revokedAt === undefined) await keys.revoke(record.id);
  return known ? "known" : "taken";
}

function refusalOf(row: KeyRow): string | undefined {
  if (!HASH.test(row.token)) return `${whoIs(row)} is not kept as a hash.`;
  return row.team_id === DASHBOARD ? `${whoIs(row)} is of LiteLLM's own page.` : undefined;
}

const whoIs = (row: KeyRow) => `The key ${row.key_alias ?? row.key_name ?? "without a name"}`;

function newKey(row: KeyRow, budgets: BudgetsById): NewKey {
  const user: Owner | undefined = row.user_id ? { kind: "user", id: row.user_id } : undefined;
  const team: Owner | undefined = row.team_id ? { kind: "team", id: row.team_id } : undefined;
  return {
    name: (row.key_alias ?? row.key_name ?? "from LiteLLM").slice(0, 128),
    owner: user ?? team ?? NOBODY,
    limits: limitsOf(row, budgets),
    ...defined({
      teamId: user && team ? team.id : undefined,
      models: modelsOf(row.models),
      expiresAt: row.expires ? timeOf(row.expires) : undefined,
      metadata: metadataOf(row.metadata),
    }),
  };
}

function ownerOf(
  owner: Owner,
  name: string | null | undefined,
  row: { readonly models?: readonly string[] | null | undefined } & Parameters<typeof limitsOf>[0],
  budgets: BudgetsById,
): OwnerRecord | string {
  const limits = attempted(() => limitsOf(row, budgets));
  if (typeof limits === "string") return `The ${owner.kind} ${owner.id}: ${limits}`;
  return { ...owner, name: (name ?? owner.id).slice(0, 128), limits, ...defined({ models: modelsOf(row.models) }) };
}

/** LiteLLM's words for "all", and for "what the team may" (the team's own list counts anyway), are no names. */
function modelsOf(models: readonly string[] | null | undefined): readonly string[] | undefined {
  if (!models || models.length === 0) return undefined;
  return models.some((name) => ["all-proxy-models", "all-team-models", "*"].includes(name)) ? undefined : models;
}

function hintOf({ key_name: name, token }: KeyRow): string {
  return name?.includes("...") ? name.slice(0, 24) : `…${token.slice(-4)}`;
}

/** LiteLLM's times are UTC, with or without saying so. */
function timeOf(text: string): number {
  const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(time)) throw new AppError("config_invalid", `its time ${text.slice(0, 40)} is none.`);
  return time;
}

function metadataOf(metadata: KeyRow["metadata"]): Readonly<Record<string, string>> | undefined {
  const pairs = Object.entries(metadata ?? {}).flatMap(([key, value]) =>
    typeof value === "string" && key.length <= 64 && value.length <= 256 ? [[key, value] as const] : [],
  );
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs.slice(0, 16));
}

function attempted<Value>(make: () => Value): Value | string {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown.message;
    throw thrown;
  }
}

function read<Row extends z.ZodType>(
  rows: readonly unknown[],
  schema: Row,
  kind: string,
  left: string[],
): readonly z.infer<Row>[] {
  return rows.flatMap((row, index) => {
    const result = schema.safeParse(row);
    if (result.success) return [result.data];
    const fields = result.error.issues.map(({ path }) => path.join(".")).join(", ");
    left.push(`The ${kind} number ${index + 1} has something unexpected in: ${fields || "the whole"}.`);
    return [];
  });
}
