import { gather } from "../codecs/answer.ts";
import type { Client } from "../codecs/chat-answer-write.ts";
import { CODECS } from "../codecs/codec.ts";
import { statusOf, writeProblem } from "../codecs/problems.ts";
import type { AnswerEvent, Problem } from "../codecs/prompt.ts";
import type { ChatFormat } from "../ports/format.ts";
import type { LaneAnswer, LaneCall } from "../ports/lane.ts";
import type { EventMeter } from "./event-meter.ts";

/** All of an answer but what a lane has to find out: who is asked, in what format, and what is known so far. */
export type Answering = {
  readonly call: LaneCall;
  readonly format: ChatFormat;
  readonly client: Client;
  readonly meter: EventMeter;
  readonly lane: LaneAnswer["lane"];
  readonly headers: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
};

/** A whole answer in the client's format. */
export function wholeAnswer(answering: Answering, events: readonly AnswerEvent[]): LaneAnswer {
  const named = events.map((event) => withNames(event, answering.call));
  for (const event of named) answering.meter.note(event);
  const answer = gather(named);
  if (answer.problem) return problemAnswer(answering, answer.problem);
  return jsonAnswer(answering, 200, CODECS[answering.format].writeAnswer(answer, answering.client));
}

/** A refusal in the client's format. */
export function problemAnswer(answering: Answering, problem: Problem): LaneAnswer {
  const status = statusOf(problem);
  return jsonAnswer(answering, status, writeProblem(answering.format, { ...problem, status }));
}

function jsonAnswer({ headers, meter, lane, warnings }: Answering, status: number, body: object): LaneAnswer {
  return {
    status,
    headers: { ...headers, "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(body)),
    meter,
    lane,
    warnings,
  };
}

/** A stream in the client's format. An error before anything else is an answer with a status. */
export async function streamedAnswer(
  answering: Answering,
  batches: AsyncIterator<readonly AnswerEvent[]>,
): Promise<LaneAnswer> {
  const first = await firstBatch(batches);
  const [problem] = first;
  if (problem?.type === "error") {
    await batches.return?.();
    return problemAnswer(answering, problem.problem);
  }
  const { headers, meter, lane, warnings } = answering;
  return {
    status: 200,
    headers: { ...headers, "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
    body: written(answering, first, batches),
    meter,
    lane,
    warnings,
  };
}

async function firstBatch(batches: AsyncIterator<readonly AnswerEvent[]>): Promise<readonly AnswerEvent[]> {
  for (let next = await batches.next(); !next.done; next = await batches.next()) {
    if (next.value.length > 0) return next.value;
  }
  return [];
}

/** The bytes of each batch of events. Ends after an error; what comes after an end is only counted. */
async function* written(
  { call, format, client, meter }: Answering,
  first: readonly AnswerEvent[],
  batches: AsyncIterator<readonly AnswerEvent[]>,
): AsyncGenerator<Uint8Array> {
  const writer = CODECS[format].writer(client);
  const write = (events: readonly AnswerEvent[]) =>
    events
      .map((event) => withNames(event, call))
      .map((event) => {
        meter.note(event);
        return writer.write(event);
      })
      .join("");
  try {
    for (let next: IteratorResult<readonly AnswerEvent[]> = { value: first }; !next.done; next = await batches.next()) {
      const text = write(next.value);
      if (text !== "") yield Buffer.from(text);
      if (next.value.some(({ type }) => type === "error")) return;
    }
  } finally {
    await batches.return?.();
  }
}

/** A provider that gives an answer no id or no model's name leaves that to us. */
function withNames(event: AnswerEvent, { callId, model }: LaneCall): AnswerEvent {
  if (event.type !== "start") return event;
  return { ...event, id: event.id || `call-${callId}`, model: event.model || model };
}
