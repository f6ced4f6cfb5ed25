import { expect, test } from "vitest";
import { spendCsv } from "./spend-csv.ts";

const sums = {
  calls: 3,
  failed: 1,
  cached: 0,
  promptTokens: 1200,
  answerTokens: 40,
  cacheReadTokens: 1000,
  costUsd: 0.000_012_5,
  savedUsd: 0,
  unpriced: 1,
};

test("sums are lines under a header, money to the last digit", () => {
  expect(spendCsv("model", [{ group: "gpt-x", label: "gpt-x", ...sums }])).toBe(
    "model,label,calls,failed,cached,promptTokens,answerTokens,cacheReadTokens,costUsd,savedUsd,unpriced\r\n" +
      "gpt-x,gpt-x,3,1,0,1200,40,1000,0.0000125,0,1\r\n",
  );
});

test("names with commas, quotes and line ends stay one field, and formulas are only text", () => {
  const csv = spendCsv("key", [{ group: "k_1", label: '=HYPERLINK("x"),\n', ...sums }]);
  expect(csv.split("\r\n").slice(1).join("\r\n")).toBe(
    `k_1,"'=HYPERLINK(""x""),\n",3,1,0,1200,40,1000,0.0000125,0,1\r\n`,
  );
});
