import { expect, test } from "vitest";
import type { Books } from "../ports/books.ts";
import type { LedgerStart, Settlement, SpendGroup } from "../ports/ledger.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";
import { handClock, type BooksOpener } from "./books-opener.ts";
import { NOON, sampleAdmission, sampleScope, sampleSettlement } from "./books-samples.ts";

const DAY = 86_400_000;

type Call = { readonly at?: number; readonly entry?: Partial<LedgerStart>; readonly settlement?: Partial<Settlement> };

async function record(books: Books, { at = NOON, entry = {}, settlement = {} }: Call): Promise<string> {
  const plain = sampleAdmission([sampleScope("key:v_1")], { at });
  await books.ledger.admit({ ...plain, entry: { ...plain.entry, ...entry } });
  books.ledger.settle(sampleSettlement(plain.callId, settlement));
  return plain.callId;
}

/** Sums and pages of the ledger. */
export function spendContract(name: string, { open }: BooksOpener): void {
  test(`${name}: spend is summed by day, model, key, user, team and conversation`, async () => {
    const books = await open(handClock(NOON));
    const team = { ownerKind: "team", ownerId: "t_1" } as const;
    await record(books, {});
    await record(books, { entry: { keyId: "v_2", model: "claude", teamId: "t_1", conversationId: "c_1" } });
    await record(books, { at: NOON + DAY, entry: { keyId: "v_3", ...team }, settlement: { costUsd: 1 } });
    const groups = async (by: SpendGroup) =>
      (await books.ledger.spend(by, {})).map(({ group, calls, costUsd }) => [group, calls, costUsd]);
    expect(await groups("day")).toEqual([
      ["2026-11-25", 2, 0.5],
      ["2026-11-26", 1, 1],
    ]);
    expect(await groups("model")).toEqual([
      ["gpt", 2, 1.25],
      ["claude", 1, 0.25],
    ]);
    expect(await groups("key")).toEqual([
      ["v_3", 1, 1],
      ["v_1", 1, 0.25],
      ["v_2", 1, 0.25],
    ]);
    expect(await groups("user")).toEqual([
      ["", 1, 1],
      ["u_1", 2, 0.5],
    ]);
    expect(await groups("team")).toEqual([
      ["t_1", 2, 1.25],
      ["", 1, 0.25],
    ]);
    expect(await groups("conversation")).toEqual([
      ["", 2, 1.25],
      ["c_1", 1, 0.25],
    ]);
  });

  test(`${name}: a sum counts outcomes and every kind of token`, async () => {
    const books = await open(handClock(NOON));
    const usage = {
      ...NO_TOKENS,
      inputTokens: 1,
      cacheReadTokens: 2,
      cacheWriteHourTokens: 4,
      outputTokens: 8,
      reasoningTokens: 16,
    };
    await record(books, { settlement: { usage } });
    await record(books, { settlement: { outcome: "failed", usage: NO_TOKENS, costUsd: 0 } });
    await record(books, { settlement: { outcome: "broken", usage: NO_TOKENS, costUsd: 0 } });
    await record(books, { settlement: { outcome: "cached", costUsd: 0, savedUsd: 0.25, usage: NO_TOKENS } });
    await record(books, { settlement: { outcome: "aborted", costUsd: 0, priced: false, usage: NO_TOKENS } });
    expect(await books.ledger.spend("model", {})).toEqual([
      {
        group: "gpt",
        calls: 5,
        failed: 2,
        cached: 1,
        promptTokens: 7,
        answerTokens: 24,
        cacheReadTokens: 2,
        costUsd: 0.25,
        savedUsd: 0.25,
        unpriced: 1,
      },
    ]);
  });

  test(`${name}: a filter narrows sums to whole days, and entries to the moment`, async () => {
    const books = await open(handClock(NOON));
    await record(books, { at: NOON - DAY });
    const noon = await record(books, { at: NOON, entry: { model: "claude" } });
    await record(books, { at: NOON + 1 });
    const calls = async (filter: object) =>
      (await books.ledger.spend("day", filter)).map((row) => [row.group, row.calls]);
    expect(await calls({ from: NOON })).toEqual([["2026-11-25", 2]]);
    expect(await calls({ to: NOON - DAY / 2 })).toEqual([["2026-11-24", 1]]);
    expect(await calls({ model: "claude" })).toEqual([["2026-11-25", 1]]);
    expect(await calls({ keyId: "v_9" })).toEqual([]);
    expect(await calls({ ownerId: "u_1", from: NOON })).toEqual([["2026-11-25", 2]]);
    const entries = await books.ledger.entries({ from: NOON, to: NOON + 1 }, { limit: 9 });
    expect(entries.map((entry) => entry.callId)).toEqual([noon]);
  });

  test(`${name}: entries come in pages, the newest first, each once`, async () => {
    const books = await open(handClock(NOON));
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) ids.push(await record(books, { at: NOON + Math.floor(index / 2) }));
    const seen: string[] = [];
    for (;;) {
      const before = seen.at(-1);
      const page = await books.ledger.entries({}, { limit: 3, ...(before !== undefined && { before }) });
      if (page.length === 0) break;
      seen.push(...page.map((entry) => entry.callId));
    }
    expect(seen.length).toBe(7);
    expect(new Set(seen)).toEqual(new Set(ids));
    expect(seen[0]).toBe(ids[6]);
  });

  test(`${name}: removing old entries keeps the sums`, async () => {
    const books = await open(handClock(NOON));
    for (let index = 0; index < 5; index++) await record(books, { at: NOON - DAY });
    const kept = await record(books, {});
    const sums = await books.ledger.spend("day", {});
    expect(await books.ledger.prune(NOON)).toBe(5);
    expect((await books.ledger.entries({}, { limit: 9 })).map((entry) => entry.callId)).toEqual([kept]);
    expect(await books.ledger.spend("day", {})).toEqual(sums);
  });

  test(`${name}: however many entries are old, all of them are removed`, async () => {
    const books = await open(handClock(NOON));
    await Promise.all(Array.from({ length: 1100 }, () => record(books, { at: NOON - DAY })));
    await books.ledger.flush();
    expect(await books.ledger.prune(NOON)).toBe(1100);
    expect(await books.ledger.entries({}, { limit: 9 })).toEqual([]);
  });
}
