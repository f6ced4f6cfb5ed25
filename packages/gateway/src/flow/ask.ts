import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@handrail/protocol/errors";
import type { Deployment, Group } from "../ports/deployment.ts";
import type { Lane } from "../ports/lane.ts";
import { topUpCall } from "./admit.ts";
import { attempt, type Begun } from "./attempt.ts";
import type { Call } from "./call.ts";
import type { Core } from "./core.ts";
import type { CallFailure } from "./failure.ts";
import { stickyKey } from "./sticky-key.ts";

/** Between two tries at one place, where the provider does not say how long. */
export const MAX_BACKOFF_MS = 10_000;
const LONGEST_WAIT_MS = 60_000;
const MAX_GROUPS = 10;

/**
 * Asks the model's deployments, again where that may help, and then those that may stand in for it. Gives the first answer that
 * begins, or the last failure.
 * @throws the call's reason when it was aborted
 */
export async function ask(core: Core, call: Call): Promise<Begun | CallFailure> {
  let result = await askGroup(core, call, call.group);
  const asked = new Set([call.group.name]);
  let chain = chainAfter(call, call.group, result);
  while (result.kind !== "begun" && chain.length > 0 && asked.size < MAX_GROUPS) {
    const [name = "", ...others] = chain;
    chain = others;
    const group = asked.has(name) || !call.caller.allows(name) ? undefined : core.catalog.find(name);
    if (group === undefined) continue;
    asked.add(name);
    call.progress.fallbacks += 1;
    call.progress.groupName = group.name;
    result = await askGroup(core, call, group);
    if (result.kind === "refused") return result;
    if (result.kind === "overflow") chain = [...group.contextFallbacks, ...chain];
  }
  return result;
}

/** The names to try next, by what went wrong. */
function chainAfter({ asked }: Call, group: Group, result: Begun | CallFailure): readonly string[] {
  switch (result.kind) {
    case "begun":
    case "refused":
      return [];
    case "overflow":
      return group.contextFallbacks;
    case "filtered":
      return group.contentFallbacks;
    default:
      return asked.fallbacks.length > 0 ? asked.fallbacks : group.fallbacks;
  }
}

type Trying = {
  readonly group: Group;
  readonly sticky: string | undefined;
  readonly tried: Map<string, number>;
  /** What cannot answer this call. */
  readonly out: Set<string>;
};

async function askGroup(core: Core, call: Call, group: Group): Promise<Begun | CallFailure> {
  const trying = { group, sticky: stickyKey(call, group), tried: new Map<string, number>(), out: new Set<string>() };
  const retries = retriesOf(core, call, group);
  let failure: CallFailure | undefined;
  for (let tries = 0; tries <= retries;) {
    const place = placeFor(core, call, trying);
    if (!("lane" in place)) return failure ?? place;
    if (failure && !(await patient(core, call, { failure, tries, again: trying.tried.has(place.deployment.id) })))
      return failure;
    const result = await tryAt(core, call, place, tries);
    if (result.kind === "begun" || !AGAIN.has(result.kind)) return result;
    failure = result;
    noteTry(trying, place.deployment, result);
    tries += result.kind === "unable" ? 0 : 1;
  }
  return failure ?? nobody(call);
}

/** Asks the place, if budgets have room for it beside the tries that may be billed. */
async function tryAt(core: Core, call: Call, place: Chosen, tries: number): Promise<Begun | CallFailure> {
  const refused = await topUpCall(core, call);
  if (refused) return refused;
  call.progress.retries += Math.sign(tries);
  return attempt(core, call, place);
}

/** What the client asks for wins over the deployment's own number. */
function retriesOf(core: Core, { asked }: Call, { deployments }: Group): number {
  return asked.retries ?? deployments[0]?.maxRetries ?? core.routing().retries;
}

/** After these the same request may find its answer. */
const AGAIN: ReadonlySet<string> = new Set(["passing", "place", "unable"]);

function noteTry({ tried, out }: Trying, { id }: Deployment, { kind }: CallFailure): void {
  if (kind === "passing") tried.set(id, (tried.get(id) ?? 0) + 1);
  else out.add(id);
}

type Chosen = { readonly deployment: Deployment; readonly lane: Lane };

function placeFor(core: Core, call: Call, { group, sticky, tried, out }: Trying): Chosen | CallFailure {
  const { format } = call.asked;
  const usable = (place: Deployment) => !out.has(place.id) && core.laneOf(place, format) !== undefined;
  const tokens = call.estimate.promptTokens + call.estimate.answerTokens;
  const found = core.places.find({ group, usable, sticky, tried, tokens });
  if (found.kind === "busy") return busy(call, found.until - core.now());
  const lane = found.kind === "place" ? core.laneOf(found.deployment, format) : undefined;
  return found.kind === "place" && lane ? { deployment: found.deployment, lane } : nobody(call);
}

function nobody({ asked: { model, format } }: Call): CallFailure {
  const text = `No deployment of ${model} can answer a request of ${format}.`;
  return { kind: "unable", error: new AppError("request_unsupported", text, { field: "model" }) };
}

function busy({ asked: { model } }: Call, ms: number): CallFailure {
  const text = `All deployments of ${model} have reached their limits for this minute.`;
  return {
    kind: "passing",
    error: new AppError("rate_limited", text, { limit: "deployment", retryAfterMs: Math.max(1, ms) }),
  };
}

type Waiting = { readonly failure: CallFailure; readonly tries: number; readonly again: boolean };

/** Waits before the same place is asked again; another is asked at once. False when it would be too long. */
async function patient(core: Core, call: Call, { failure, tries, again }: Waiting): Promise<boolean> {
  if (!again) return true;
  const { backoffMs } = core.routing();
  const backoff = Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
  const ms = failure.retryAfterMs ?? backoff;
  if (ms > LONGEST_WAIT_MS) return false;
  await sleep(ms, undefined, { signal: call.signal }).catch(() => undefined);
  call.signal.throwIfAborted();
  return true;
}
