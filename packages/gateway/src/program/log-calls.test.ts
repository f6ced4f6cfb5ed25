import { pino } from "pino";
import { expect, test } from "vitest";
import { scripted, startGateway } from "../testing/gateway-fixture.ts";
import { logCalls } from "./log-calls.ts";

const HI = { role: "user", content: "a secret question" };
const LONGER = [HI, { role: "assistant", content: "a secret answer" }, HI];

test("a model of unknown price is warned about once, and calls that fail are told of without what was said", async () => {
  const lines: string[] = [];
  const log = pino({ level: "warn", base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  const up = await scripted({ text: "a secret answer" }, { text: "", faults: [{ type: "status", status: 400 }] });
  const way = await startGateway({
    deployments: [{ baseUrl: up.baseUrl }],
    prices: { cost: () => undefined, contextTokens: () => undefined },
    observer: logCalls(log),
  });
  try {
    for (const messages of [[HI], [HI], LONGER]) {
      await (await way.post("/v1/chat/completions", { model: "m", messages })).text();
    }
    await expect.poll(() => lines.length).toBe(2);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: 40,
      deploymentId: "d1",
      model: "up",
      msg: "its price is not known: it costs 0 in the books, and no budget stops it",
    });
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ msg: "a call failed", status: 400, outcome: "failed" });
    expect(lines.join("")).not.toContain("secret");
  } finally {
    await way.close();
    await up.close();
  }
});
