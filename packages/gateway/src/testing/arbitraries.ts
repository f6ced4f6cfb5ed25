import fc from "fast-check";
import type { AnswerPart } from "../codecs/answer.ts";
import type { AnswerEvent, Finish, Part, Prompt, Turn } from "../codecs/prompt.ts";
import type { Seal } from "../codecs/seals.ts";

const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const id = fc.string({ unit: fc.constantFrom("a", "b", "c", "d", "0", "1", "2", "3"), minLength: 4, maxLength: 8 });
/** Texts of arguments that a parser and writer would change. */
const rawArguments = fc.constantFrom(
  '{"a": 1.0, "b":"\\u00e9"}',
  "{}",
  '{ "big": 12345678901234567890 }',
  '{"nested":{"x":[1,2,{"y":"\\n"}]}}',
);
const compactArguments = fc
  .dictionary(id, fc.oneof(words, fc.integer(), fc.boolean()), { maxKeys: 3 })
  .map((value) => JSON.stringify(value));

export const seals: Readonly<Record<string, fc.Arbitrary<Seal>>> = {
  thinking: id.map((signature) => ({ kind: "thinking" as const, signature: `sig+/${signature}=` })),
  item: fc
    .tuple(id, id)
    .map(([name, encrypted]) => ({ kind: "item" as const, id: `rs_${name}`, encrypted, parts: [] })),
  sdk: id.map((signature) => ({ kind: "sdk" as const, metadata: { google: { thoughtSignature: signature } } })),
};

function reasoning(seal: fc.Arbitrary<Seal>): fc.Arbitrary<AnswerPart> {
  return fc.tuple(words, seal).map(([text, sealed]) => ({
    type: "reasoning" as const,
    text,
    seal: sealed.kind === "item" ? { ...sealed, parts: [text.length] } : sealed,
  }));
}

const call = (raw: fc.Arbitrary<string>): fc.Arbitrary<AnswerPart> =>
  fc.record({ type: fc.constant("call" as const), id: id.map((name) => `call_${name}`), name: id, arguments: raw });
const said: fc.Arbitrary<AnswerPart> = words.map((text) => ({ type: "text" as const, text }));

/** Parts of an answer in the order that every format can tell: thoughts, text, calls. */
export function answerParts(exact: boolean): fc.Arbitrary<readonly AnswerPart[]> {
  const seal = fc.oneof(...Object.values(seals));
  return fc
    .tuple(
      fc.array(reasoning(seal), { maxLength: 2 }),
      fc.array(said, { maxLength: 1 }),
      fc.array(call(exact ? rawArguments : compactArguments), { maxLength: 3 }),
    )
    .map((groups) => groups.flat());
}

/** The events of an answer whose texts come in pieces. */
export function eventsOfParts(parts: readonly AnswerPart[], size: number, finish: Finish): readonly AnswerEvent[] {
  let index = -1;
  const start: AnswerEvent = { type: "start", id: "msg_1", model: "m" };
  const body = parts.flatMap((part): AnswerEvent[] => {
    if (part.type === "call") {
      index += 1;
      const opened: AnswerEvent = { type: "call", index, id: part.id, name: part.name };
      return [opened, ...cut(part.arguments, size).map((delta) => ({ type: "arguments" as const, index, delta }))];
    }
    const pieces = cut(part.text, size).map((delta) => ({ type: part.type, delta }));
    return part.type === "reasoning" && part.seal ? [...pieces, { type: "seal", seal: part.seal }] : pieces;
  });
  return [start, ...body, { type: "end", finish }];
}

function cut(text: string, size: number): readonly string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}

const mark = fc.constantFrom({}, { cache: { type: "ephemeral" } }, { cache: { type: "ephemeral", ttl: "1h" } });
const text = fc.tuple(words, mark).map(([text, cache]): Part => ({ type: "text", text, ...cache }));
const image = fc
  .tuple(fc.constantFrom("image/png", "image/jpeg"), id, mark)
  .map(([mediaType, data, cache]): Part => ({ type: "image", source: { kind: "base64", mediaType, data }, ...cache }));
const picture = fc.webUrl().map((url): Part => ({ type: "image", source: { kind: "url", url } }));
const file = id.map((data): Part => ({
  type: "file",
  name: "a.pdf",
  source: { kind: "base64", mediaType: "application/pdf", data },
}));
const result = (callId: string, said: string): Part => ({
  type: "result",
  callId,
  failed: false,
  content: [{ type: "text", text: said }],
});

/** A user's question, and a step: an answer with calls and their results, with what the user says to them. */
const question: fc.Arbitrary<Turn> = fc
  .array(fc.oneof(text, image, picture, file), { minLength: 1, maxLength: 3 })
  .map((parts) => ({ role: "user" as const, parts }));
const step: fc.Arbitrary<readonly Turn[]> = fc
  .tuple(
    fc.option(words, { nil: undefined }),
    fc.uniqueArray(id, { minLength: 1, maxLength: 3 }),
    words,
    compactArguments,
  )
  .map(([said, ids, answered, input]) => [
    {
      role: "assistant" as const,
      parts: [
        ...(said === undefined ? [] : [{ type: "text" as const, text: said }]),
        ...ids.map((id) => ({ type: "call" as const, id: `call_${id}`, name: "read", arguments: input })),
      ],
    },
    { role: "user" as const, parts: ids.map((id) => result(`call_${id}`, answered)) },
  ]);

/** Prompts that every format can carry. */
export const prompts: fc.Arbitrary<Prompt> = fc
  .record({
    system: fc.array(text, { maxLength: 1 }),
    first: question,
    steps: fc.array(step, { maxLength: 3 }),
    streamed: fc.boolean(),
    maxTokens: fc.integer({ min: 1, max: 100_000 }),
    temperature: fc.option(fc.constantFrom(0, 0.5, 1), { nil: undefined }),
    serial: fc.boolean(),
    choice: fc.constantFrom("auto" as const, "required" as const, "none" as const, { name: "read" }),
    schema: fc.boolean(),
    strict: fc.boolean(),
  })
  .map((made) => ({
    model: "m",
    streamed: made.streamed,
    usageAsked: made.streamed,
    system: made.system as Prompt["system"],
    turns: [made.first, ...made.steps.flat()],
    tools: [
      {
        name: "read",
        description: "Reads.",
        parameters: { type: "object", properties: {} },
        ...(made.strict ? { strict: true } : {}),
      },
    ],
    toolChoice: made.choice,
    ...(made.schema ? { output: { type: "schema" as const, schema: { type: "object" }, name: "answer" } } : {}),
    options: {
      maxTokens: made.maxTokens,
      ...(made.temperature === undefined ? {} : { temperature: made.temperature }),
      ...(made.serial && made.choice !== "none" ? { parallel: false } : {}),
    },
  }));
