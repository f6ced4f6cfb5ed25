import type { Clock } from "@handrail/core/ports/clock";
import type { LogStore } from "@handrail/core/ports/log-store";
import { messageEvents } from "@handrail/core/start-run";
import type { ContentPart } from "@handrail/protocol/content";
import type { Fork } from "@handrail/protocol/checkpoints";
import { applyEvent } from "@handrail/protocol/conversation-state";
import { AppError } from "@handrail/protocol/errors";
import type { EventOf } from "@handrail/protocol/events";
import type { IdPrefix } from "@handrail/protocol/ids";
import type { Limits } from "@handrail/protocol/limits";
import type { SetupChoice } from "@handrail/protocol/setup";
import type {
  BackendName,
  NetworkRule,
  SandboxChoice,
  SandboxProfile,
  WorkspaceSource,
} from "@handrail/protocol/sources";
import { type ConversationSummary, summaryOf } from "@handrail/protocol/summary";
import type { Backends, Models } from "./ports.ts";
import type { Claim, WarmPool } from "./warm-pool.ts";
import { titleOf, UNTITLED } from "./title.ts";

export type NewConversation = {
  readonly ownerId: string;
  /** Null, or absent, for a personal one. */
  readonly teamId?: string | null | undefined;
  readonly source: WorkspaceSource;
  readonly sandbox?: { [Field in keyof SandboxChoice]?: SandboxChoice[Field] | undefined } | undefined;
  readonly model?: string | undefined;
  readonly title?: string | undefined;
  /** Those that differ from the server's own. */
  readonly limits?: Limits | undefined;
  readonly runLimits?: Limits | undefined;
  readonly setup?: SetupChoice | undefined;
  readonly content?: readonly ContentPart[] | undefined;
  /** Makes ready what a fork with this id begins with. Its source was looked at when the origin began. */
  readonly fork?: ((id: string) => Promise<Fork>) | undefined;
};

export type CreateParts = {
  readonly store: Pick<LogStore, "append">;
  readonly models: Models;
  readonly backends: Pick<Backends, "preferred" | "healthOf">;
  /** @throws AppError `source_invalid`, before anything is written */
  readonly checkSource: (source: WorkspaceSource) => Promise<void>;
  readonly defaults: {
    readonly image: string | undefined;
    readonly network: NetworkRule;
    readonly limits: Limits;
    readonly runLimits: Limits;
    /** Whether the person who runs the server allowed sandboxes without isolation. */
    readonly unsandboxed: boolean;
    readonly profile: SandboxProfile;
    /** Those that conversations may have. */
    readonly profiles: readonly SandboxProfile[];
  };
  readonly wake: (conversationId: string) => void;
  readonly clock: Clock;
  readonly newId: (prefix: IdPrefix) => string;
  readonly claim: WarmPool["claim"];
};

/**
 * Writes a conversation's first events in one append; with content, its first run starts.
 * @throws AppError `source_invalid`, `model_unset`, `backend_unavailable`, `namespaces_forbidden`, `bad_request` for a
 * profile that the backend does not have
 */
export async function createConversation(
  parts: CreateParts,
  wanted: NewConversation,
  signal: AbortSignal,
): Promise<ConversationSummary> {
  if (wanted.fork === undefined) await parts.checkSource(wanted.source);
  const sandbox = await sandboxChoice(parts, wanted, signal);
  const model = wanted.model ?? (await defaultModel(parts, wanted.source));
  if (wanted.content !== undefined) await parts.models.require(model);
  const claim = parts.claim(sandbox);
  try {
    const fork = await wanted.fork?.(claim.id);
    return await append(parts, wanted, createdEvent(parts, wanted, { sandbox, model, claim, fork }));
  } catch (thrown) {
    claim.giveUp();
    throw thrown;
  }
}

type Settled = Pick<EventOf<"conversation.created">, "sandbox" | "model" | "fork"> & { readonly claim: Claim };

function createdEvent(
  { defaults }: CreateParts,
  wanted: NewConversation,
  { sandbox, model, claim, fork }: Settled,
): EventOf<"conversation.created"> {
  return {
    type: "conversation.created",
    conversationId: claim.id,
    ownerId: wanted.ownerId,
    teamId: wanted.teamId ?? null,
    title: wanted.title ?? titleOf(wanted.content ?? []) ?? UNTITLED,
    source: wanted.source,
    sandbox,
    model,
    ...limitsOf(defaults, wanted),
    ...(fork === undefined ? {} : { fork }),
    ...setupField(wanted.setup),
    ...(claim.spare ? { spare: true } : {}),
  };
}

async function append(
  parts: CreateParts,
  wanted: NewConversation,
  created: EventOf<"conversation.created">,
): Promise<ConversationSummary> {
  const at = parts.clock.now();
  const empty = applyEvent(null, { seq: 0, at, event: created });
  const first =
    wanted.content === undefined ? [] : messageEvents(empty, firstMessage(parts, wanted.ownerId, wanted.content));
  const state = first.reduce((before, event) => applyEvent(before, { seq: before.head + 1, at, event }), empty);
  const summary = summaryOf(state);
  await parts.store.append({ conversationId: state.id, expectedSeq: 0, events: [created, ...first], summary, at });
  if (state.run !== null) parts.wake(state.id);
  return summary;
}

function firstMessage({ newId }: CreateParts, userId: string, content: readonly ContentPart[]) {
  return { messageId: newId("m"), userId, content, runId: newId("r") };
}

const setupField = (setup: SetupChoice | undefined) =>
  setup === undefined || setup.type === "repository" ? {} : { setup };

/** A limit that was not named is the server's own. A fork has its origin's, and none that were taken away there. */
function limitsOf(defaults: CreateParts["defaults"], { fork, limits = {}, runLimits = {} }: NewConversation) {
  if (fork !== undefined) return { limits, runLimits };
  return { limits: { ...defaults.limits, ...limits }, runLimits: { ...defaults.runLimits, ...runLimits } };
}

/** Without any model set, the id under which one will be once it is. */
async function defaultModel({ models }: CreateParts, source: WorkspaceSource): Promise<string> {
  return (await models.defaultId()) ?? (source.type === "demo" ? "demo" : "default");
}

async function sandboxChoice(parts: CreateParts, wanted: NewConversation, signal: AbortSignal): Promise<SandboxChoice> {
  const { defaults, backends } = parts;
  const backend: BackendName = wanted.sandbox?.backend ?? (await backends.preferred(signal));
  if (backend === "none" && !defaults.unsandboxed) {
    throw new AppError(
      "forbidden",
      "Sandboxes without isolation are off. Start Handrail with --sandbox none if you want them.",
    );
  }
  const { image = defaults.image, network = defaults.network } = wanted.sandbox ?? {};
  const chosen = profileField(defaults, backend, wanted.sandbox?.profile);
  await requireProfile(backends, backend, chosen.profile);
  return { backend, ...(image === undefined ? {} : { image }), ...chosen, network };
}

/** Undefined: the default one, which all have. A backend that does not work now says nothing of what it has. @throws AppError `bad_request` */
async function requireProfile(
  { healthOf }: CreateParts["backends"],
  backend: BackendName,
  profile: SandboxProfile | undefined,
): Promise<void> {
  if (profile === undefined) return;
  const { works, profiles, detail } = await healthOf(backend);
  if (!works || profiles.includes(profile)) return;
  const message = `Sandboxes of ${backend} do not have the profile ${profile} here (${detail}). Choose another profile, one of ${profiles.join(", ")}, or another backend.`;
  throw new AppError("bad_request", message, { profile, backend });
}

/** Absent for the default profile, the only one where nothing is isolated. @throws AppError `forbidden` */
function profileField(
  { profile: usual, profiles }: CreateParts["defaults"],
  backend: BackendName,
  wanted: SandboxProfile | undefined,
): Pick<SandboxChoice, "profile"> {
  const profile = wanted ?? (backend === "none" ? "default" : usual);
  if (profile === "default" && (backend === "none" || profiles.includes(profile))) return {};
  if (profiles.includes(profile)) return { profile };
  const message = `Sandboxes with the profile ${profile} are off here. Choose one of: ${profiles.join(", ")}.`;
  throw new AppError("forbidden", message);
}
