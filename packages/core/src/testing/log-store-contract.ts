import type { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import type { LogStore } from "../ports/log-store.ts";
import { logStoreListContract } from "./log-store-list-contract.ts";
import { sampleAppend, sampleId, sampleStored, sampleSummary } from "./log-samples.ts";

/** How a suite gets at a store. The opener's own test file closes and removes what is left. */
export type LogStoreOpener = {
  /** An empty store. */
  readonly open: () => Promise<LogStore>;
  /** Opens what `store` held again, after closing it. Absent for a store that ends with its process. */
  readonly reopen?: (store: LogStore) => Promise<LogStore>;
};

/** What every `LogStore` must do. Each implementation's test file calls this once. */
export function logStoreContract(name: string, opener: LogStoreOpener): void {
  appending(name, opener);
  concurrency(name, opener);
  wakeUps(name, opener);
  blobs(name, opener);
  logStoreListContract(name, opener);
  if (opener.reopen !== undefined) reopening(name, opener.open, opener.reopen);
}

function appending(name: string, { open }: LogStoreOpener): void {
  test(`${name}: events come back in the order they were appended, numbered from 0`, async () => {
    const store = await open();
    const id = sampleId();
    expect(await store.append(sampleAppend(id, 0, ["a", "b"]))).toEqual(sampleStored(["a", "b"]));
    expect(await store.append(sampleAppend(id, 2, ["c"]))).toEqual(sampleStored(["c"], 2));
    expect(await store.read(id, -1, 100)).toEqual(sampleStored(["a", "b", "c"]));
  });

  test(`${name}: a read begins after a number and takes no more than its limit`, async () => {
    const store = await open();
    const id = sampleId();
    await store.append(sampleAppend(id, 0, ["a", "b", "c", "d"]));
    expect(await store.read(id, 0, 2)).toEqual(sampleStored(["b", "c"], 1));
    expect(await store.read(id, 2, 2)).toEqual(sampleStored(["d"], 3));
    expect(await store.read(id, 3, 2)).toEqual([]);
    expect(await store.read(id, 99, 2)).toEqual([]);
    expect(await store.read(sampleId(), -1, 2)).toEqual([]);
  });

  test(`${name}: an append that would leave a gap or repeat a number changes nothing`, async () => {
    const store = await open();
    const id = sampleId();
    await store.append(sampleAppend(id, 0, ["a", "b"], { title: "kept" }));
    for (const expectedSeq of [0, 1, 3, 100]) {
      expect(await codeOf(store.append(sampleAppend(id, expectedSeq, ["x", "y"], { title: "lost" })))).toBe(
        "log_conflict",
      );
    }
    expect(await store.read(id, -1, 100)).toEqual(sampleStored(["a", "b"]));
    expect((await store.summary(id)).title).toBe("kept");
  });

  test(`${name}: an append to a log that is not there names it as not found`, async () => {
    const store = await open();
    const id = sampleId();
    expect(await codeOf(store.append(sampleAppend(id, 1, ["x"])))).toBe("conversation_not_found");
    expect(await store.read(id, -1, 100)).toEqual([]);
    expect(await codeOf(store.summary(id))).toBe("conversation_not_found");
  });

  test(`${name}: an append without events is refused`, async () => {
    const store = await open();
    expect(await codeOf(store.append(sampleAppend(sampleId(), 0, [])))).toBe("internal");
  });

  test(`${name}: texts of any kind come back as they were`, async () => {
    const store = await open();
    const id = sampleId();
    const titles = ["\0", "\u{1F600} é", "'; drop table events; --", "\ud800", "\r\n\t", "x".repeat(300_000)];
    await store.append(sampleAppend(id, 0, titles, { title: "a\0b'\ud800%" }));
    expect(await store.read(id, -1, 100)).toEqual(sampleStored(titles));
    expect((await store.summary(id)).title).toBe("a\0b'\ud800%");
  });

  test(`${name}: more events than one statement can bind go in together`, async () => {
    const store = await open();
    const id = sampleId();
    const titles = Array.from({ length: 1201 }, (_, index) => String(index));
    await store.append(sampleAppend(id, 0, titles));
    expect(await store.read(id, -1, 5000)).toEqual(sampleStored(titles));
  });

  test(`${name}: a removed log is gone, and its id can begin anew`, async () => {
    const store = await open();
    const [id, other] = [sampleId(), sampleId()];
    await store.append(sampleAppend(id, 0, ["a", "b"]));
    await store.append(sampleAppend(other, 0, ["o"]));
    await store.remove(id);
    await store.remove(id);
    await store.remove(sampleId());
    expect(await store.read(id, -1, 100)).toEqual([]);
    expect(await codeOf(store.summary(id))).toBe("conversation_not_found");
    expect(await codeOf(store.append(sampleAppend(id, 2, ["c"])))).toBe("conversation_not_found");
    expect(await store.read(other, -1, 100)).toEqual(sampleStored(["o"]));
    expect(await store.append(sampleAppend(id, 0, ["n"]))).toEqual(sampleStored(["n"]));
  });
}

function concurrency(name: string, { open }: LogStoreOpener): void {
  test(`${name}: of writers that expect the same number exactly one wins, whole`, async () => {
    const store = await open();
    const id = sampleId();
    await store.append(sampleAppend(id, 0, ["first"]));
    const writers = Array.from({ length: 40 }, (_, writer) => [`${writer}-a`, `${writer}-b`]);
    const results = await Promise.allSettled(
      writers.map((titles) => store.append(sampleAppend(id, 1, titles, { title: titles.join(" ") }))),
    );
    const winners = writers.filter((_, index) => results[index]?.status === "fulfilled");
    expect(winners).toHaveLength(1);
    const codes = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as AppError).code] : []));
    expect(new Set(codes)).toEqual(new Set(["log_conflict"]));
    expect(await store.read(id, 0, 100)).toEqual(sampleStored(winners[0]!, 1));
    expect((await store.summary(id)).title).toBe(winners[0]!.join(" "));
  });

  test(`${name}: appends in flight together succeed or conflict each on its own`, async () => {
    const store = await open();
    const ids = Array.from({ length: 30 }, sampleId);
    const results = await Promise.allSettled(
      ids.flatMap((id) => [
        store.append(sampleAppend(id, 0, ["a"])),
        store.append(sampleAppend(id, 5, ["x"])),
        store.append(sampleAppend(id, 1, ["b", "c"], { title: "last" })),
      ]),
    );
    expect(results.map((result) => result.status)).toEqual(ids.flatMap(() => ["fulfilled", "rejected", "fulfilled"]));
    for (const id of ids) {
      expect(await store.read(id, -1, 100)).toEqual(sampleStored(["a", "b", "c"]));
      expect((await store.summary(id)).title).toBe("last");
    }
  });
}

function wakeUps(name: string, { open }: LogStoreOpener): void {
  test(`${name}: listeners hear of the last number of every log, and of no append that failed`, async () => {
    const store = await open();
    const heard: [string, number][] = [];
    const stop = store.onAppend((id, seq) => heard.push([id, seq]));
    const [first, second] = [sampleId(), sampleId()];
    await store.append(sampleAppend(first, 0, ["a", "b", "c"]));
    await store.append(sampleAppend(second, 0, ["a"]));
    await codeOf(store.append(sampleAppend(first, 9, ["x"])));
    await store.append(sampleAppend(first, 3, ["d"]));
    await expect.poll(() => heard.findLast(([id]) => id === first)).toEqual([first, 3]);
    await expect.poll(() => heard.findLast(([id]) => id === second)).toEqual([second, 0]);
    expect(heard.every(([, seq]) => seq <= 3)).toBe(true);
    stop();
    await store.append(sampleAppend(first, 4, ["e"]));
    expect(heard.findLast(([id]) => id === first)).toEqual([first, 3]);
  });

  test(`${name}: what a listener hears of can already be read`, async () => {
    const store = await open();
    const id = sampleId();
    const read = new Promise((resolve) => {
      store.onAppend((conversationId, seq) => resolve(store.read(conversationId, seq - 1, 10)));
    });
    await store.append(sampleAppend(id, 0, ["a", "b"]));
    expect(await read).toEqual(sampleStored(["b"], 1));
  });
}

function blobs(name: string, { open }: LogStoreOpener): void {
  test(`${name}: bytes are kept under the name of their content`, async () => {
    const store = await open();
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
    const ref = await store.putBlob(bytes);
    expect(await store.putBlob(bytes.slice())).toBe(ref);
    expect(await store.getBlob(ref)).toEqual(bytes);
    expect(await store.putBlob(new Uint8Array())).toBe(
      "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
    expect(await codeOf(store.getBlob(`sha256:${"0".repeat(64)}`))).toBe("not_found");
    expect(await codeOf(store.getBlob("../../etc/passwd"))).toBe("not_found");
  });
}

function reopening(name: string, open: () => Promise<LogStore>, reopen: (store: LogStore) => Promise<LogStore>): void {
  test(`${name}: everything is there after closing and opening again`, async () => {
    const before = await open();
    const id = sampleId();
    await before.append(sampleAppend(id, 0, ["a", "b"]));
    const ref = await before.putBlob(new Uint8Array([1, 2, 3]));
    const after = await reopen(before);
    expect(await after.read(id, -1, 10)).toEqual(sampleStored(["a", "b"]));
    expect(await after.summary(id)).toEqual(sampleSummary(id, { head: 1 }));
    expect(await after.getBlob(ref)).toEqual(new Uint8Array([1, 2, 3]));
    expect(await after.append(sampleAppend(id, 2, ["c"]))).toEqual(sampleStored(["c"], 2));
  });
}

/** The code that the work fails with, or undefined when it does not. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (thrown) {
    return (thrown as AppError).code;
  }
}
