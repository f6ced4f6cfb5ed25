import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Books } from "../ports/books.ts";
import { booksContract } from "../testing/books-contract.ts";
import { codeOf } from "../testing/books-opener.ts";
import { sampleAdmission, sampleKey, sampleScope, sampleSettlement } from "../testing/books-samples.ts";
import { cutProxy, type CutProxy } from "../testing/cut-proxy.ts";
import { eventually, postgresPrograms, postgresServer, type PostgresServer } from "../testing/postgres-server.ts";
import { openPostgresBooks } from "./open-postgres-books.ts";

type Opened = { readonly books: Books; readonly url: string; readonly proxy: CutProxy; readonly directory: string };

const programs = postgresPrograms();
const opened: Opened[] = [];
let server: PostgresServer;

async function openOn(url: string, now: () => number, leaseMs = 60_000): Promise<Books> {
  const proxy = await cutProxy(server.port());
  const directory = mkdtempSync(join(tmpdir(), "replica-"));
  const own = new URL(url);
  own.port = String(proxy.port);
  const books = await openPostgresBooks({ url: own.href, callFile: join(directory, "calls"), now, leaseMs });
  opened.push({ books, url, proxy, directory });
  return books;
}

const open = async (now: () => number) => openOn(await server.database(), now);

async function rowsOf(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

/** The replica is gone; another one, which does not wait for long, settles what it left. */
async function crash(books: Books, now: () => number): Promise<Books> {
  const { url, proxy } = opened.find((each) => each.books === books)!;
  proxy.cut();
  const again = await openOn(url, now, 300);
  await eventually(async () => expect(await rowsOf(url, "select * from handrail.reservations")).toEqual([]));
  return again;
}

async function replicas(): Promise<readonly [Books, Books]> {
  const url = await server.database();
  return [await openOn(url, Date.now), await openOn(url, Date.now)];
}

const scope = sampleScope("key:v_1", { budget: { usd: 10, period: "total" } });

describe.skipIf(programs === undefined)("books in PostgreSQL", () => {
  beforeAll(async () => {
    server = await postgresServer(programs ?? "");
    await server.start();
  });
  afterAll(() => server.remove());
  afterEach(async () => {
    const done = opened.splice(0);
    for (const { books, proxy, directory } of done) {
      await books.close().catch(() => undefined);
      proxy.cut();
      rmSync(directory, { recursive: true, force: true });
    }
    for (const url of new Set(done.map((each) => each.url))) await server.recycle(url);
  });

  booksContract("postgres", { open, crash });

  test("of 64 parallel calls at two replicas against a budget of ten, ten are let through", async () => {
    const both = await replicas();
    const admissions = Array.from({ length: 64 }, () => sampleAdmission([scope], { at: Date.now() }));
    const verdicts = await Promise.all(admissions.map((admission, index) => both[index % 2]!.ledger.admit(admission)));
    expect(verdicts.filter((verdict) => verdict.admitted).length).toBe(10);
    for (const [index, { callId }] of admissions.entries()) {
      both[index % 2]!.ledger.settle(sampleSettlement(callId, { costUsd: 1 }));
    }
    await Promise.all(both.map((books) => books.ledger.flush()));
    expect((await both[0].ledger.states([scope]))[0]?.remaining).toBe(0);
    expect((await both[1].ledger.spend("key", {})).map(({ calls, costUsd }) => [calls, costUsd])).toEqual([[10, 10]]);
  });

  test("replicas that count for the same scopes in other orders do not block each other", async () => {
    const both = await replicas();
    const [a, b, c] = ["key:a", "team:b", "user:c"].map((id) => sampleScope(id, { requestsPerMinute: 1000 })) as [
      typeof scope,
      typeof scope,
      typeof scope,
    ];
    const orders = [
      [a, b, c],
      [c, b, a],
      [b, c, a],
    ];
    const work = async (books: Books, round: number): Promise<void> => {
      const admission = sampleAdmission(orders[round % 3]!, { at: Date.now() });
      expect((await books.ledger.admit(admission)).admitted).toBe(true);
      books.ledger.settle(sampleSettlement(admission.callId));
    };
    await Promise.all(Array.from({ length: 200 }, (_, round) => work(both[round % 2]!, round)));
    await Promise.all(both.map((books) => books.ledger.flush()));
    expect((await both[0].ledger.spend("key", {})).map(({ calls }) => calls)).toEqual([200]);
  });

  test("a key that one replica revokes is revoked at the other, and an owner's limits change there", async () => {
    const [here, there] = await replicas();
    const { record } = await here.keys.create(sampleKey());
    const owner = { kind: "team", id: "t_1", name: "Tools", limits: {} } as const;
    await here.keys.saveOwner(owner);
    expect((await there.keys.find(record.hash))?.revokedAt).toBe(undefined);
    expect(await there.keys.owner(owner)).toEqual(owner);
    await here.keys.revoke(record.id);
    await here.keys.saveOwner({ ...owner, limits: { parallel: 2 } });
    await eventually(async () => {
      expect((await there.keys.find(record.hash))?.revokedAt).not.toBe(undefined);
      expect((await there.keys.owner(owner))?.limits).toEqual({ parallel: 2 });
    });
  });

  test("a key that was revoked while a replica heard nothing is revoked there when it hears again", async () => {
    const [here, there] = await replicas();
    const { record } = await here.keys.create(sampleKey());
    await there.keys.find(record.hash);
    const { url } = opened[0]!;
    await rowsOf(
      url,
      `update handrail.keys set revoked_at = 5; select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await eventually(async () => expect((await there.keys.find(record.hash))?.revokedAt).toBe(5));
  });

  test("a call that others took for lost counts as its replica settles it, once", async () => {
    const url = await server.database();
    const limited = sampleScope("key:v_1", { budget: { usd: 10, period: "total" }, tokensPerMinute: 1000 });
    const here = await openOn(url, Date.now);
    const calls = [1, 2].map(() => sampleAdmission([limited], { at: Date.now() }));
    for (const admission of calls) await here.ledger.admit(admission);
    // To a replica that waits so little, the other is gone between any two of its beats.
    const there = await openOn(url, Date.now, 300);
    await eventually(async () => {
      await there.ledger.reconcile();
      expect((await there.ledger.spend("key", {})).map(({ costUsd }) => costUsd)).toEqual([2]);
    });
    expect((await there.ledger.states([limited])).map(({ remaining }) => remaining)).toEqual([800, 8]);
    const [{ callId }] = calls as [(typeof calls)[0]];
    here.ledger.settle(sampleSettlement(callId));
    await here.ledger.flush();
    const { directory, proxy } = opened[0]!;
    // As if the replica had been killed before it knew that this was written: it settles the call once more.
    copyFileSync(join(directory, "calls"), join(directory, "again"));
    const own = new URL(url);
    own.port = String(proxy.port);
    await (await openPostgresBooks({ url: own.href, callFile: join(directory, "again") })).close();
    const rows = await there.ledger.spend("key", {});
    const sums = { calls: 2, failed: 0, promptTokens: 40, answerTokens: 10, costUsd: 1.25 };
    expect(rows).toMatchObject([sums]);
    expect((await there.ledger.states([limited])).map(({ remaining }) => remaining)).toEqual([850, 8.75]);
    const entries = await there.ledger.entries({}, { limit: 9 });
    expect(entries.find((entry) => entry.callId === callId)).toMatchObject({ outcome: "ok", lost: { costUsd: 1 } });
    expect(entries.filter(({ outcome }) => outcome === "lost").length).toBe(1);
  });

  const outages = {
    "is stopped and started": { away: () => server.stop(), back: () => server.start() },
    "stands still": {
      away: async () => server.signal("SIGSTOP"),
      back: async () => server.signal("SIGCONT"),
    },
  };
  test.for(Object.entries(outages))(
    "while PostgreSQL %s nothing is let through, keys are known, and what ended is written once it is back",
    async ([, { away, back }]) => {
      const url = await server.database();
      const there = await openOn(url, Date.now);
      const { record } = await there.keys.create(sampleKey());
      const here = await openOn(url, Date.now);
      await here.keys.find(record.hash);
      const calls = Array.from({ length: 5 }, () => sampleAdmission([scope], { at: Date.now() }));
      for (const admission of calls) await here.ledger.admit(admission);
      await away();
      for (const { callId } of calls) here.ledger.settle(sampleSettlement(callId));
      const refused = Array.from({ length: 8 }, () => codeOf(here.ledger.admit(sampleAdmission([scope]))));
      expect(new Set(await Promise.all(refused))).toEqual(new Set(["books_unavailable"]));
      expect(await here.keys.find(record.hash)).toEqual(record);
      expect(here.trouble()).toMatch(/cannot be written/);
      await back();
      await eventually(() => here.ledger.flush());
      await eventually(async () => expect(here.trouble()).toBe(undefined));
      const after = sampleAdmission([scope], { at: Date.now() });
      await eventually(async () => expect((await there.ledger.admit(after)).admitted).toBe(true));
      there.ledger.settle(sampleSettlement(after.callId));
      const spend = await eventually(() => there.ledger.spend("key", {}));
      expect(spend.map(({ costUsd }) => costUsd)).toEqual([1.5]);
      expect((await there.ledger.states([scope])).map(({ remaining }) => remaining)).toEqual([8.5]);
    },
  );
});
