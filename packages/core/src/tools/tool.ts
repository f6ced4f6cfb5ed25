import type { ContentPart } from "@handrail/protocol/content";
import type { CallData } from "@handrail/protocol/run-events";
import { z } from "zod";
import type { ModelTool } from "../ports/model.ts";
import type { CallOptions, Sandbox } from "../ports/sandbox.ts";

/** What a tool answers. `content` is for the model, `data` for programs. */
export type ToolAnswer = { readonly content: readonly ContentPart[]; readonly data: CallData };

export type ToolContext = {
  readonly sandbox: Sandbox;
  /** Carries the call's id: each call is exactly one operation under it, so that it happens once. */
  readonly options: CallOptions & { readonly id: string };
  /** The hash that a file had when the model last read or wrote it; undefined when it has not. */
  readonly knownHash: (path: string) => string | undefined;
  readonly putBlob: (bytes: Uint8Array) => Promise<string>;
};

type Described<Args> = {
  readonly name: string;
  readonly description: string;
  readonly schema: z.ZodType<Args>;
  /** Whether calls of it may run at the same time as their neighbours that may too. */
  readonly parallel: boolean;
};

/** A tool that is one operation in the sandbox. @throws AppError of the operation; the signal's reason */
export type SandboxTool<Args> = Described<Args> & {
  readonly place: "sandbox";
  run(args: Args, context: ToolContext): Promise<ToolAnswer>;
};

/** A tool that only answers; nothing leaves the server. */
export type LocalTool<Args> = Described<Args> & { readonly place: "local"; answer(args: Args): ToolAnswer };

/** A tool whose arguments have been checked already: parse, then use. */
export type Tool = {
  readonly name: string;
  readonly parallel: boolean;
  readonly definition: ModelTool;
  /** Reads the model's text as arguments. @returns a ready call, or a sentence that tells the model what is wrong */
  prepare(argumentsText: string): PreparedCall | { readonly place: "wrong"; readonly problem: string };
};

export type PreparedCall =
  | { readonly place: "local"; readonly answer: ToolAnswer }
  | { readonly place: "sandbox"; readonly run: (context: ToolContext) => Promise<ToolAnswer> };

/** The tool as the loop uses it, arguments checked against its schema. */
export function defineTool<Args>(tool: SandboxTool<Args> | LocalTool<Args>): Tool {
  return {
    name: tool.name,
    parallel: tool.parallel,
    definition: { name: tool.name, description: tool.description, parameters: parametersOf(tool.schema) },
    prepare(argumentsText) {
      const json = parseJson(argumentsText);
      if (json === undefined) return { place: "wrong", problem: brokenJson(argumentsText) };
      const parsed = tool.schema.safeParse(json.value);
      if (!parsed.success) return { place: "wrong", problem: z.prettifyError(parsed.error) };
      const args = parsed.data;
      if (tool.place === "local") return { place: "local", answer: tool.answer(args) };
      return { place: "sandbox", run: (context) => tool.run(args, context) };
    },
  };
}

export const textAnswer = (text: string, data: CallData = {}): ToolAnswer => ({
  content: [{ type: "text", text }],
  data,
});

function parametersOf(schema: z.ZodType): object {
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: "input" });
  return parameters;
}

/** Empty arguments mean `{}`: several APIs send that for a call without any. */
function parseJson(text: string): { readonly value: unknown } | undefined {
  if (text.trim() === "") return { value: {} };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function brokenJson(text: string): string {
  const end = text.slice(-80);
  return `The arguments are not valid JSON (${text.length} characters, ending in ${JSON.stringify(end)}). If the call was cut off, make it again in smaller pieces.`;
}
