import { churnedConversation } from "@handrail/core/testing/churned-conversation";
import { type ChurnWish, openChurned } from "./killed-servers.ts";

/** A program for tests: starts, stops and removes sandboxes until it is killed. Says so before it begins. */
const wish = JSON.parse(process.argv[2] ?? "{}") as ChurnWish;
const backend = openChurned(wish);
const choice = { backend: backend.name, network: { type: "none" } } as const;
await backend.health(AbortSignal.timeout(60_000));
process.stdout.write("begins\n");
for (let round = 0; ; round++) {
  const conversationId = churnedConversation(round);
  const spec = { conversationId, choice, seedDirectory: wish.seed };
  await backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
  await backend.stop(conversationId);
  await backend.start(spec, () => undefined, AbortSignal.timeout(60_000));
  if (round % 2 === 0) await backend.remove(conversationId);
}
