import type { NewKey } from "../ports/keys.ts";
import type { Admission, Settlement } from "../ports/ledger.ts";
import type { BookLimits, LimitedScope } from "../ports/limits.ts";
import { NO_TOKENS } from "../ports/token-usage.ts";

/** 12:00 UTC on Wednesday, 25 November 2026. */
export const NOON = Date.UTC(2026, 10, 25, 12);

let calls = 0;

/** Differs with each call, also across processes. */
export function sampleCallId(): string {
  calls += 1;
  return `call_${process.pid}_${calls}`;
}

export function sampleScope(id: string, limits: BookLimits = {}): LimitedScope {
  return { id, limits };
}

/** A call of the key `v_1` that reserves a dollar and 100 tokens. */
export function sampleAdmission(scopes: readonly LimitedScope[], change: Partial<Admission> = {}): Admission {
  return {
    callId: sampleCallId(),
    at: NOON,
    scopes,
    reserveNanoUsd: 1_000_000_000,
    reserveTokens: 100,
    entry: { keyId: "v_1", ownerKind: "user", ownerId: "u_1", model: "gpt", format: "chat", streamed: false },
    ...change,
  };
}

/** A call that used 50 tokens and 25 cents. */
export function sampleSettlement(callId: string, change: Partial<Settlement> = {}): Settlement {
  return {
    callId,
    at: NOON + 1000,
    outcome: "ok",
    usage: { ...NO_TOKENS, inputTokens: 40, outputTokens: 10 },
    costUsd: 0.25,
    savedUsd: 0,
    estimated: false,
    priced: true,
    deploymentId: "d_1",
    provider: "openai",
    upstreamModel: "gpt-5",
    status: 200,
    latencyMs: 1000,
    retries: 0,
    fallbacks: 0,
    ...change,
  };
}

export function sampleKey(change: Partial<NewKey> = {}): NewKey {
  return { name: "laptop", owner: { kind: "user", id: "u_1" }, limits: {}, ...change };
}
