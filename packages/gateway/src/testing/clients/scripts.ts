import type { Script } from "@handrail/scripted-model/script";

const USAGE = { inputTokens: 120, outputTokens: 24 };

/** One script for each thing that the drivers of clients ask for, by the model's name. */
export const CLIENT_SCRIPTS: readonly Script[] = [
  { name: "chat", turns: [{ text: "Hello from the script, à bientôt 👋.", usage: USAGE, chunkSize: 3 }] },
  {
    name: "tools",
    turns: [
      {
        text: "Let me look.",
        calls: [
          { tool: "weather", arguments: { city: "Bern" } },
          { tool: "weather", arguments: { city: 'São "Paulo"\n' } },
        ],
        usage: USAGE,
        chunkSize: 5,
      },
      { text: "It is sunny.", usage: USAGE },
    ],
  },
  { name: "image", turns: [{ text: "A red dot.", usage: USAGE }] },
  { name: "structured", turns: [{ text: '{"city":"Bern","degrees":21.5}', usage: USAGE, chunkSize: 4 }] },
  { name: "embed", turns: [{ usage: USAGE }] },
  ...[
    { name: "limited", status: 429, message: "Too much" },
    { name: "invalid", status: 400, message: "That is wrong" },
    { name: "broken", status: 500, message: "It broke" },
  ].map(({ name, status, message }): Script => {
    const faults = Array.from({ length: 100 }, () => ({ type: "status" as const, status, message }));
    return { name, turns: [{ text: "no", faults }] };
  }),
];
