import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "@handrail/protocol/errors";
import { openSqliteBooks } from "../books/open-sqlite-books.ts";
import { catalogOf } from "../catalog/catalog.ts";
import type { AdminCaller, AdminContext } from "../litellm/admin/admin.ts";
import { answerAdmin } from "../litellm/admin/admin-routes.ts";
import type { KeyRecord } from "../ports/books.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";
import { priceList } from "../prices/price-list.ts";

/** A noon. */
export const NOW = Date.UTC(2026, 10, 25, 12);
const PLACE = {
  id: "d1",
  name: "gpt",
  provider: "openai",
  model: "gpt-4o",
  apiKey: "sk-provider",
  baseUrl: "http://inner:1/v1",
  prices: { inputUsdPerMillion: 2.5, outputUsdPerMillion: 10 },
  contextTokens: 128_000,
} as const;
/** Whoever holds the master key. */
export const MASTER: AdminCaller = { admin: true };

/** LiteLLM's management routes over books of their own. */
export async function openAdminStage() {
  const directory = mkdtempSync(join(tmpdir(), "gateway-admin-"));
  const books = await openSqliteBooks({ file: join(directory, "gateway.db"), now: () => NOW });
  const context: AdminContext = {
    books,
    catalog: catalogOf(() => [PLACE, { ...PLACE, id: "d2", name: "other/*", model: "*" }]),
    prices: priceList(),
    standings: () => [
      { deployment: PLACE, state: "ok" },
      { deployment: { ...PLACE, id: "d2" }, state: "resting", lastError: "It said no." },
    ],
    now: () => NOW,
  };

  const ask = async (caller: AdminCaller, line: string, body?: unknown): Promise<Record<string, unknown>> => {
    const [method = "", target = ""] = line.split(" ");
    const url = new URL(target, "http://gateway");
    const answer = await answerAdmin(context, { method, path: url.pathname, query: url.searchParams, body, caller });
    return answer.body as Record<string, unknown>;
  };

  const refusal = async (caller: AdminCaller, line: string, body?: unknown) =>
    ask(caller, line, body).then(
      () => "answered",
      (thrown: unknown) => (thrown instanceof AppError ? thrown.code : String(thrown)),
    );

  const madeKey = async (
    body: object,
  ): Promise<{ readonly key: string; readonly caller: AdminCaller; readonly record: KeyRecord }> => {
    const { key } = await ask(MASTER, "POST /key/generate", body);
    const record = (await books.keys.find(hash("sha256", key as string))) as KeyRecord;
    return { key: key as string, record, caller: { admin: false, key: record } };
  };

  const spend = async (record: KeyRecord, callId: string, costUsd: number): Promise<void> => {
    const { id: keyId, owner, teamId } = record;
    await books.ledger.admit({
      callId,
      at: NOW,
      scopes: [],
      reserveNanoUsd: 0,
      reserveTokens: 0,
      entry: {
        keyId,
        ownerKind: owner.kind,
        ownerId: owner.id,
        model: "gpt",
        format: "chat",
        streamed: false,
        endUser: "eve",
        ...(teamId !== undefined && { teamId }),
      },
    });
    books.ledger.settle({
      callId,
      at: NOW + 250,
      outcome: "ok",
      usage: { ...NO_TOKENS, inputTokens: 10, outputTokens: 5 },
      costUsd,
      savedUsd: 0,
      estimated: false,
      priced: true,
      deploymentId: "d1",
      provider: "openai",
      upstreamModel: "gpt-4o",
      status: 200,
      latencyMs: 250,
      retries: 0,
      fallbacks: 0,
    });
    await books.ledger.flush();
  };
  const close = async (): Promise<void> => {
    await books.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { books, ask, refusal, madeKey, spend, close };
}
