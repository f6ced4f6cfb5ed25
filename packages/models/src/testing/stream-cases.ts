import type { ModelEnd } from "@handrail/core/ports/model";
import type { ModelSetting } from "@handrail/protocol/settings";
import { tagged } from "../provider-data.ts";

/** A recorded stream that has an end, and what that end is; without a price. */
export type StreamCase = {
  readonly fixture: string;
  readonly dialect: ModelSetting["dialect"];
  readonly model: string;
  readonly end: Omit<ModelEnd, "type" | "costUsd" | "usage"> & { readonly usage: readonly number[] };
};

const GPT = { dialect: "openai", model: "gpt-5" } as const;
const CLAUDE = { dialect: "anthropic", model: "claude-sonnet-4-5" } as const;
const ANSWERED_BY = "claude-sonnet-4-5-20250929";

const DEEPSEEK = { dialect: "openai", model: "deepseek-reasoner" } as const;
const ROUTED = { dialect: "openai", model: "anthropic/claude-sonnet-4.5" } as const;
const GEMINI = { dialect: "openai", model: "gemini-2.5-pro" } as const;
const GOOGLE = { dialect: "google", model: "gemini-2.5-pro" } as const;

/** Usage is input, output, cache read, cache write, reasoning. */
export const STREAM_CASES: readonly StreamCase[] = [
  {
    fixture: "openai-text",
    ...GPT,
    end: {
      finish: "stop",
      content: [{ type: "text", text: 'Grüße, 世界 👋🏽\r\n"quoted" data: x' }],
      model: "gpt-5-2025-08-07",
      usage: [1200, 30, 1024, 0, 12],
    },
  },
  {
    fixture: "openai-tools",
    ...GPT,
    end: {
      finish: "calls",
      content: [
        { type: "call", providerId: "call_A1", tool: "read", arguments: '{"path": "ä.txt"}' },
        { type: "call", providerId: "call_B2", tool: "terminal", arguments: '{"command":"ls",  "n": 1.0}' },
      ],
      model: "gpt-5-2025-08-07",
      usage: [1200, 30, 1024, 0, 12],
    },
  },
  {
    fixture: "openai-refusal",
    ...GPT,
    end: {
      finish: "refusal",
      content: [{ type: "text", text: "I can't help with that." }],
      model: "gpt-5-2025-08-07",
      usage: [1200, 30, 1024, 0, 12],
    },
  },
  {
    fixture: "deepseek-reasoning",
    ...DEEPSEEK,
    end: {
      finish: "length",
      content: [
        {
          type: "reasoning",
          text: "First, look.",
          provider: tagged(DEEPSEEK, { reasoning_content: "First, look." }),
        },
        { type: "text", text: "Done." },
      ],
      model: "deepseek-reasoner",
      usage: [10, 5, 8, 0, 3],
    },
  },
  {
    fixture: "openrouter-reasoning",
    ...ROUTED,
    end: {
      finish: "stop",
      content: [
        {
          type: "reasoning",
          text: "Let me see.",
          provider: tagged(ROUTED, {
            reasoning: "Let me see.",
            reasoning_details: [
              {
                type: "reasoning.text",
                text: "Let me see.",
                format: "anthropic-claude-v1",
                index: 0,
                signature: "sig+/=",
              },
              { type: "reasoning.encrypted", data: "b64==", index: 1 },
            ],
          }),
        },
        { type: "text", text: "Yes." },
      ],
      model: "anthropic/claude-sonnet-4.5",
      usage: [100, 20, 0, 0, 9],
    },
  },
  {
    fixture: "gemini-compatible",
    ...GEMINI,
    end: {
      finish: "calls",
      content: [
        {
          type: "call",
          providerId: "function-call-1",
          tool: "read",
          arguments: '{"path":"a"}',
          provider: tagged(GEMINI, { extra_content: { google: { thought_signature: "c2ln" } } }),
        },
      ],
      model: "gemini-2.5-pro",
      usage: [7, 4, 0, 0, 0],
    },
  },
  {
    fixture: "anthropic-text",
    ...CLAUDE,
    end: {
      finish: "stop",
      content: [{ type: "text", text: "Grüße, 世界 👋🏽\nevent: x" }],
      model: ANSWERED_BY,
      usage: [10, 15, 0, 0, 0],
    },
  },
  {
    fixture: "anthropic-thinking-tools",
    ...CLAUDE,
    end: {
      finish: "calls",
      content: [
        { type: "reasoning", text: "I should look.", provider: tagged(CLAUDE, { signature: "EqQBCgIYAhIM+/=" }) },
        { type: "reasoning", text: "", provider: tagged(CLAUDE, { redacted: "EmwKAhgBEgy3va" }) },
        { type: "text", text: "Looking." },
        { type: "call", providerId: "toolu_01A", tool: "read", arguments: '{"path": "ä.txt"}' },
        { type: "call", providerId: "toolu_01B", tool: "tasks", arguments: "" },
      ],
      model: ANSWERED_BY,
      usage: [5203, 89, 5000, 200, 0],
    },
  },
  {
    fixture: "anthropic-refusal",
    ...CLAUDE,
    end: {
      finish: "refusal",
      content: [{ type: "text", text: "I" }],
      model: ANSWERED_BY,
      usage: [10, 2, 0, 0, 0],
    },
  },
  {
    fixture: "anthropic-max-tokens",
    ...CLAUDE,
    end: {
      finish: "length",
      content: [{ type: "call", providerId: "toolu_01C", tool: "write", arguments: '{"path":"a","text":"half' }],
      model: ANSWERED_BY,
      usage: [10, 64, 0, 0, 0],
    },
  },
  {
    fixture: "anthropic-window",
    ...CLAUDE,
    end: { finish: "length", content: [{ type: "text", text: "cut" }], model: ANSWERED_BY, usage: [10, 3, 0, 0, 0] },
  },
  {
    fixture: "google-tools",
    ...GOOGLE,
    end: {
      finish: "calls",
      content: [
        { type: "reasoning", text: "Thinking about ä." },
        { type: "text", text: "Let me look." },
        {
          type: "call",
          providerId: "ID",
          tool: "read",
          arguments: '{"path":"a.txt"}',
          provider: tagged(GOOGLE, { google: { thoughtSignature: "c2lnbmF0dXJl" } }),
        },
        { type: "call", providerId: "ID", tool: "read", arguments: '{"path":"b.txt"}' },
      ],
      model: "gemini-2.5-pro",
      usage: [20, 17, 4, 0, 5],
    },
  },
];
