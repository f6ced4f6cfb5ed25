import { createJournal } from "@handrail/core/journal";
import { SAMPLE_ID, sampleCreated } from "@handrail/core/testing/log-samples";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { testClock } from "@handrail/core/testing/test-clock";
import { expect, test } from "vitest";
import { refusedRequests } from "./refused-requests.ts";

test("a refused host is shown once in ten minutes, each host for itself", async () => {
  const store = memoryLogStore();
  const clock = testClock();
  const journal = await createJournal(store, clock, sampleCreated());
  const requests = refusedRequests(async () => journal, clock);
  const note = (host: string) => requests.note({ conversationId: SAMPLE_ID, host, reason: "address_forbidden" });

  await note("a.example");
  await note("a.example");
  await note("b.example");
  clock.advance(600_000);
  await note("a.example");

  await requests.note({ conversationId: SAMPLE_ID, host: "c.example", reason: "unreachable" });
  await requests.note({ conversationId: SAMPLE_ID, host: "d.example", reason: "host_not_allowed" });

  const log = await store.read(SAMPLE_ID, 0, 10);
  expect(log.map(({ event }) => event)).toEqual(
    ["a.example", "b.example", "a.example"].map((host) => ({
      type: "notice.added",
      audience: "user",
      code: "egress_refused",
      text: `A request from the sandbox to ${host} was refused. The name leads to a private or reserved address.`,
    })),
  );
});
