import { expect, test } from "vitest";
import { pullReport } from "../pull-report.ts";
import { CriError } from "./cri-error.ts";
import type { Transfer } from "./cri-shapes.ts";
import { tellTransfers } from "./tell-transfers.ts";

/** What is said of a pull while the runtime gives these answers, one at each look. */
async function said(answers: readonly (readonly Transfer[])[]): Promise<readonly string[]> {
  const ended = new AbortController();
  const texts: string[] = [];
  const left = [...answers];
  const transfers = async () => {
    const answer = left.shift();
    if (left.length === 0) ended.abort();
    if (answer === undefined) throw new CriError("unknown service");
    return answer;
  };
  await tellTransfers(
    { transfers },
    pullReport("a:1", (text) => texts.push(text)),
    ended.signal,
    1,
  );
  return texts;
}

const MB = 1_000_000;
const layer = (ref: string, offset: number, total: number): Transfer => ({
  ref,
  offset: offset * MB,
  total: total * MB,
});

test("a pull is told over all layers, and what has come stays counted", async () => {
  expect(
    await said([
      [layer("a", 1, 10), layer("b", 0, 5)],
      [layer("a", 1, 10), layer("b", 4, 5)],
      [layer("a", 3, 10)],
      [layer("c", 1, 20)],
    ]),
  ).toEqual([
    "Pulling image a:1, 1 of 10 MB.",
    "Pulling image a:1, 1 of 15 MB.",
    "Pulling image a:1, 5 of 15 MB.",
    "Pulling image a:1, 7 of 15 MB.",
    "Pulling image a:1, 8 of 15 MB.",
    "Pulling image a:1, 9 of 35 MB.",
    "Pulling image a:1, 16 of 35 MB.",
  ]);
});

test("a runtime that does not say is not asked again", async () => {
  expect(await said([])).toEqual([]);
});
