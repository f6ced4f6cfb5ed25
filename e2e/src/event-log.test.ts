import { expect, test } from "vitest";
import { runEnd, startConversation } from "./support/conversations.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { startServer } from "./support/test-server.ts";

const KEY = "sk-test-key";
const script = {
  name: "tells-its-key",
  turns: [{ calls: [{ tool: "terminal", arguments: { command: `echo ${KEY} | tee key.txt` } }] }],
  otherwise: { text: `The key is ${KEY}.` },
};

type Line = { readonly conversationId?: string; readonly seq?: number; readonly event?: { readonly type: string } };

test("with LOG_ALL_EVENTS each event is in the server's log once, in order, and the model's key in none", async () => {
  const { model, env } = await scriptedEnvironment(script);
  const server = await startServer({ env: { ...env, LOG_ALL_EVENTS: "true" } });
  try {
    const id = await startConversation(server.client, { backend: "process", task: `remember ${KEY}` });
    const { log } = await runEnd(server.client, id);
    const logged = () => {
      const lines = server.log().trimEnd().split("\n");
      const events = lines
        .map((line) => JSON.parse(line) as Line)
        .filter(({ conversationId }) => conversationId === id);
      return events.flatMap(({ seq, event }) => (event === undefined ? [] : [{ seq, type: event.type }]));
    };
    await expect
      .poll(() => logged().slice(0, log.length))
      .toEqual(log.map(({ seq, event }) => ({ seq, type: event.type })));
    expect(server.log()).not.toContain(KEY);
    expect(server.log()).toContain("remember [secret");
  } finally {
    await server.dispose();
    await model.close();
  }
});
