import { expect, test } from "vitest";
import { AppError, toAppError } from "./errors.ts";

const failed = (code: string) => Object.assign(new Error(`${code}: open '/secret/path'`), { code });

test("no more files that can be opened is a failure that passes, told without the path; others are unforeseen", () => {
  const told = ["EMFILE", "ENFILE", "EBADF"].map((errno) => {
    const thrown = failed(errno);
    const error = toAppError(thrown);
    return [error.code, error.details, error.retryable, error.message.includes("secret"), error.cause === thrown];
  });
  expect(told).toEqual([
    ["too_many_files", { errno: "EMFILE" }, true, false, true],
    ["too_many_files", { errno: "ENFILE" }, true, false, true],
    ["internal", {}, false, false, true],
  ]);
});

test("what has its code already keeps it, whatever caused it", () => {
  const known = new AppError("storage_failed", "no", {}, { cause: failed("EMFILE") });
  expect(toAppError(known)).toBe(known);
});
