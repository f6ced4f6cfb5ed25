import type { Model, ModelEnd, ModelRequest } from "@handrail/core/ports/model";
import { mayBeBilled } from "@handrail/gateway/flow/failure";
import type { Books } from "@handrail/gateway/ports/books";
import { type KeyRecord, scopesOf } from "@handrail/gateway/ports/keys";
import type { Admission, Settlement } from "@handrail/gateway/ports/ledger";
import { nanoUsd } from "@handrail/gateway/ports/money";
import { NO_TOKENS, type TokenUsage } from "@handrail/gateway/ports/token-usage";
import { AppError, toAppError } from "@handrail/protocol/errors";

export type MeteredParts = {
  readonly books: Books;
  readonly record: KeyRecord;
  /** What the ledger says it was asked of. */
  readonly place: { readonly deploymentId: string; readonly provider: string; readonly upstreamModel: string };
  readonly newCallId: () => string;
  readonly now: () => number;
};

/**
 * A model that does not go by way of the gateway's HTTP, counted in the same books: it is let through and settled as the
 * gateway does. For providers whose own library keeps what no common format can carry.
 */
export function meteredModel(model: Model, parts: MeteredParts): Model {
  return { ...model, stream: (request, signal) => metered(model, parts, request, signal) };
}

async function* metered(model: Model, parts: MeteredParts, request: ModelRequest, signal: AbortSignal) {
  const callId = await admitted(model, parts, request);
  const call: Call = { startedAt: parts.now(), end: undefined, characters: 0, failure: undefined };
  try {
    for await (const output of model.stream(request, signal)) {
      if (output.type === "end") call.end = output;
      else call.characters += output.delta.length;
      yield output;
    }
  } catch (thrown) {
    call.failure = thrown;
    throw thrown;
  } finally {
    const { startedAt } = call;
    const at = parts.now();
    const told = call.end === undefined ? guessed(model, request, call, signal.aborted) : reported(call.end);
    const ending = { ...endingOf(call, signal.aborted), latencyMs: at - startedAt, retries: 0, fallbacks: 0 };
    parts.books.ledger.settle({ callId, at, savedUsd: 0, ...parts.place, ...told, ...ending });
  }
}

type Call = { readonly startedAt: number; end: ModelEnd | undefined; characters: number; failure: unknown };
type Told = Pick<Settlement, "usage" | "costUsd" | "priced" | "estimated">;

function reported({ usage, costUsd }: ModelEnd): Told {
  return { usage: buckets(usage), costUsd: costUsd ?? 0, priced: costUsd !== undefined, estimated: false };
}

/** What was refused before the first word cost nothing; what may be billed all the same, and what broke off later, is counted from text. */
function guessed(model: Model, request: ModelRequest, { characters, failure }: Call, aborted: boolean): Told {
  const usage = { inputTokens: promptGuess(request), outputTokens: Math.ceil(characters / 4) };
  const costUsd = model.price(usage);
  const priced = costUsd !== undefined;
  const refused = characters === 0 && failure !== undefined && !aborted && !mayBeBilled(toAppError(failure));
  if (refused) return { usage: NO_TOKENS, costUsd: 0, priced, estimated: false };
  return { usage: buckets(usage), costUsd: costUsd ?? 0, priced, estimated: true };
}

function endingOf({ end, failure }: Call, aborted: boolean): Pick<Settlement, "outcome" | "status" | "errorCode"> {
  if (end !== undefined) return { outcome: "ok", status: 200 };
  if (aborted || failure === undefined) return { outcome: "aborted", status: 0 };
  return { outcome: "failed", status: 0, errorCode: toAppError(failure).code };
}

async function admitted(model: Model, parts: MeteredParts, request: ModelRequest): Promise<string> {
  const { books, record } = parts;
  const owners = await Promise.all([
    books.keys.owner(record.owner),
    record.teamId === undefined ? undefined : books.keys.owner({ kind: "team", id: record.teamId }),
  ]);
  const most = { inputTokens: promptGuess(request), outputTokens: request.maxOutputTokens };
  const callId = parts.newCallId();
  const verdict = await books.ledger.admit({
    callId,
    at: parts.now(),
    scopes: scopesOf(
      record,
      owners.filter((owner) => owner !== undefined),
    ),
    reserveNanoUsd: nanoUsd(model.price(most) ?? 0),
    reserveTokens: most.inputTokens + most.outputTokens,
    entry: entryOf(model, record),
  });
  if (verdict.admitted) return callId;
  const { kind, scope, resetAt } = verdict.reached;
  const when = resetAt === undefined ? "" : ` It starts again at ${new Date(resetAt).toISOString()}.`;
  throw new AppError(
    kind === "budget" ? "budget_exceeded" : "rate_limited",
    `The limit of ${kind === "budget" ? "money" : kind} of ${scope} is reached.${when}`,
    { limit: kind, scope, ...(resetAt !== undefined && { retryAfterMs: Math.max(0, resetAt - parts.now()) }) },
  );
}

function entryOf(model: Model, { id, owner, teamId, conversationId }: KeyRecord): Admission["entry"] {
  return {
    keyId: id,
    ownerKind: owner.kind,
    ownerId: owner.id,
    model: model.id,
    format: "chat",
    streamed: true,
    ...(teamId !== undefined && { teamId }),
    ...(conversationId !== undefined && { conversationId }),
  };
}

/** Rather too many than too few: three characters a token, and 2,000 tokens an image. */
function promptGuess({ system, tools, messages }: ModelRequest): number {
  const text = JSON.stringify([system, tools, messages], (key, value: unknown) => (key === "data" ? IMAGE : value));
  return Math.ceil(text.length / 3);
}

const IMAGE = "i".repeat(6000);

type Counted = { readonly inputTokens: number; readonly outputTokens: number } & Partial<ModelEnd["usage"]>;

/** The model port counts the whole prompt and the whole answer; the books count parts that do not overlap. */
function buckets({
  inputTokens,
  outputTokens,
  cacheReadTokens = 0,
  cacheWriteTokens = 0,
  reasoningTokens = 0,
}: Counted) {
  const usage: TokenUsage = {
    ...NO_TOKENS,
    inputTokens: Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens),
    cacheReadTokens,
    cacheWriteTokens,
    outputTokens: Math.max(0, outputTokens - reasoningTokens),
    reasoningTokens,
  };
  return usage;
}
