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

test("of very many refused hosts some are shown, and that there are more", async () => {
  const store = memoryLogStore();
  const clock = testClock();
  const journal = await createJournal(store, clock, sampleCreated());
  const requests = refusedRequests(async () => journal, clock);
  for (let at = 0; at < 200; at++) {
    await requests.note({ conversationId: SAMPLE_ID, host: `${at}.example`, reason: "host_invalid" });
  }
  const log = await store.read(SAMPLE_ID, 0, 300);
  const texts = log.map(({ event }) => (event.type === "notice.added" ? event.text : event.type));
  expect(texts.length).toBe(21);
  expect(texts.at(-2)).toContain(" 19.example ");
  expect(texts.at(-1)).toBe(
    "Requests from the sandbox to more hosts were refused. The list of its network use has them.",
  );
});
