import { expect, test } from "vitest";
import { AppError } from "@handrail/protocol/errors";
import { booksUnavailable } from "../books/books-unavailable.ts";
import { whenThere } from "./when-there.ts";

const coded = (code: string, message: string) => Object.assign(new Error(message), { code });
const AWAY = coded("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1");

/** Fails in that order, and opens then. */
function opening(...failures: readonly Error[]) {
  const left = [...failures];
  const told: string[] = [];
  const open = async () => {
    const failure = left.shift();
    if (failure) throw failure;
    return "open";
  };
  const within = (withinMs: number) => whenThere(open, { withinMs, everyMs: 1, waits: (reason) => told.push(reason) });
  return { within, told, left };
}

test("PostgreSQL that is away or starts is waited for, which is said once", async () => {
  const { within, told } = opening(booksUnavailable(AWAY), booksUnavailable(coded("57P03", "it starts")));
  expect(await within(60_000)).toBe("open");
  expect(told).toEqual([AWAY.message]);
});

test("it is waited for only so long, and the sentence says why", async () => {
  const { within, told } = opening(booksUnavailable(coded("ECONNREFUSED", "")));
  await expect(within(0)).rejects.toThrow(
    "The books in PostgreSQL cannot be opened: ECONNREFUSED. Check DATABASE_URL, and that PostgreSQL runs.",
  );
  expect(told).toEqual([]);
});

test("what does not pass by itself is not waited for", async () => {
  const newer = new AppError("storage_newer", "Newer.");
  for (const failure of [booksUnavailable(coded("28P01", "password authentication failed")), newer]) {
    const { within, left } = opening(failure, AWAY);
    await expect(within(60_000)).rejects.toMatchObject({ code: failure.code });
    expect(left).toEqual([AWAY]);
  }
});
