import type { ConversationSummary } from "@handrail/protocol/summary";
import { expect, test } from "vitest";
import type { ListQuery, LogStore } from "../ports/log-store.ts";
import { sampleAppend } from "./log-samples.ts";

const ALL: ListQuery = { limit: 100 };

/** What `list` of every `LogStore` must do; part of `logStoreContract`. */
export function logStoreListContract(name: string, { open }: { readonly open: () => Promise<LogStore> }): void {
  test(`${name}: lists show the latest update first, and those of one time by id`, async () => {
    const store = await open();
    await fill(store, {
      c_b: { updatedAt: 10 },
      c_a: { updatedAt: 10 },
      c_c: { updatedAt: 30 },
      c_d: { updatedAt: 20 },
    });
    expect(await idsOf(store, ALL)).toEqual(["c_c", "c_d", "c_a", "c_b"]);
    await store.append(sampleAppend("c_b", 1, ["x"], { updatedAt: 40 }));
    expect(await idsOf(store, ALL)).toEqual(["c_b", "c_c", "c_d", "c_a"]);
  });

  test(`${name}: pages follow one another without loss or repeat, also where times are equal`, async () => {
    const store = await open();
    const names = Array.from({ length: 23 }, (_, index) => `c_${String(index).padStart(2, "0")}`);
    await fill(store, Object.fromEntries(names.map((id, index) => [id, { updatedAt: 100 + (index % 4) }])));
    const seen: string[] = [];
    let after: ListQuery["after"];
    for (;;) {
      const page = await store.list({ limit: 5, ...(after === undefined ? {} : { after }) });
      seen.push(...page.map((summary) => summary.id));
      const last = page.at(-1);
      if (last === undefined) break;
      after = { updatedAt: last.updatedAt, id: last.id };
    }
    expect(seen).toEqual(await idsOf(store, ALL));
    expect([...seen].sort()).toEqual(names);
  });

  test(`${name}: lists filter by owner, archive and state`, async () => {
    const store = await open();
    await fill(store, {
      c_1: { ownerId: "u_a", archived: true, state: "done" },
      c_2: { ownerId: "u_a", state: "working" },
      c_3: { ownerId: "u_b", state: "asked" },
    });
    expect(await idsOf(store, { ...ALL, ownerId: "u_a" })).toEqual(["c_1", "c_2"]);
    expect(await idsOf(store, { ...ALL, archived: false })).toEqual(["c_2", "c_3"]);
    expect(await idsOf(store, { ...ALL, archived: true, ownerId: "u_b" })).toEqual([]);
    expect(await idsOf(store, { ...ALL, states: ["working", "asked"] })).toEqual(["c_2", "c_3"]);
    expect(await idsOf(store, { ...ALL, states: [] })).toEqual([]);
  });

  test(`${name}: a search finds all its words, in any case and order, in title and source`, async () => {
    const store = await open();
    await fill(store, {
      c_1: { title: "Fix the Größe of ÄPFEL" },
      c_2: { title: "100% done_ok", source: { type: "git", url: "https://git.example/Team/Parser.git" } },
      c_3: { title: "fix", source: { type: "folder", path: "/home/me/Äpfel" } },
      c_4: { title: String.raw`back\slash` },
    });
    const found = (search: string) => idsOf(store, { ...ALL, search });
    expect(await found("äpfel FIX")).toEqual(["c_1", "c_3"]);
    expect(await found("grö")).toEqual(["c_1"]);
    expect(await found("parser 100")).toEqual(["c_2"]);
    expect(await found("100%")).toEqual(["c_2"]);
    expect(await found("%")).toEqual(["c_2"]);
    expect(await found("_")).toEqual(["c_2"]);
    expect(await found("\\")).toEqual(["c_4"]);
    expect(await found("' or 1=1")).toEqual([]);
    expect(await found("  ")).toEqual(["c_1", "c_2", "c_3", "c_4"]);
  });

  test(`${name}: a removed conversation is no longer listed`, async () => {
    const store = await open();
    await fill(store, { c_1: {}, c_2: {} });
    await store.remove("c_1");
    expect(await idsOf(store, ALL)).toEqual(["c_2"]);
  });

  test(`${name}: a listed summary is the one that came with the latest append`, async () => {
    const store = await open();
    const append = sampleAppend("c_1", 0, ["a"], {
      title: "one",
      costUsd: 0.25,
      changes: { files: 1, added: 2, removed: 3 },
    });
    await store.append(append);
    expect(await store.list(ALL)).toEqual([append.summary]);
    expect(await store.summary("c_1")).toEqual(append.summary);
  });
}

async function fill(store: LogStore, rows: Record<string, Partial<ConversationSummary>>): Promise<void> {
  for (const [id, changes] of Object.entries(rows)) await store.append(sampleAppend(id, 0, ["a"], changes));
}

async function idsOf(store: LogStore, query: ListQuery): Promise<readonly string[]> {
  return (await store.list(query)).map((summary) => summary.id);
}
