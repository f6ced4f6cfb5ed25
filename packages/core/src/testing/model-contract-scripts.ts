/** A script of the scripted model, which the contract cannot import: `name` is the model that plays it. */
export type ModelContractScript = {
  readonly name: string;
  readonly turns: readonly object[];
  readonly otherwise?: object;
};

const FINE = { text: "Fine." };

const failing = (name: string, ...faults: readonly object[]): ModelContractScript => ({
  name,
  turns: [{ ...FINE, faults }],
});

const status = (code: number, more: object = {}): object => ({ type: "status", status: code, ...more });

/** What the server of a model's contract has to play. */
export const MODEL_CONTRACT_SCRIPTS: readonly ModelContractScript[] = [
  {
    name: "answer",
    turns: [
      {
        reasoning: "First think.",
        text: "Héllo 👋, I look.",
        calls: [
          { tool: "read", rawArguments: '{"path":  "a"}' },
          { tool: "terminal", rawArguments: '{"command": "l' },
        ],
        chunkSize: 3,
        usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60 },
      },
      { text: "Second turn." },
    ],
  },
  { name: "stop", turns: [FINE] },
  { name: "length", turns: [{ ...FINE, finish: "length" }] },
  { name: "refusal", turns: [{ ...FINE, finish: "refusal" }] },
  { name: "empty", turns: [{}] },
  failing("limited", status(429, { retryAfterSeconds: 7 })),
  failing("down", status(503)),
  failing("overloaded", status(529)),
  failing("unauthorized", status(401)),
  failing("rejected", status(400, { message: "tools: wrong" })),
  failing("overflow", status(400, { message: "prompt is too long: 210000 tokens > 200000 maximum" })),
  failing("unknown", status(404, { message: "The model `x` does not exist" })),
  failing("cut", { type: "cut", afterBytes: 120 }),
  failing("garbage", { type: "garbage" }),
  failing("event", { type: "streamError", afterEvents: 2, message: "Busy" }),
  failing("refused", { type: "refused" }),
  failing("page", { type: "html" }),
  failing("silent", { type: "stall", ms: 5000 }, { type: "stall", ms: 5000, afterBytes: 60 }),
  failing("trickle", { type: "trickle" }),
  { name: "slow", turns: [{ text: "a".repeat(2000), chunkSize: 1, chunkDelayMs: 5 }] },
  { name: "never", turns: [FINE] },
];
