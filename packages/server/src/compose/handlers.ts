import { rateLimit } from "../auth/rate-limit.ts";
import { type SignInTokens } from "../auth/sign-in-tokens.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { CreateParts } from "../conversations/create-conversation.ts";
import { type WorkspaceViews, workspaceViews } from "../conversations/workspace-views.ts";
import { examine } from "../doctor.ts";
import { whyNoPreviews } from "../previews/preview-base.ts";
import { checkpointHandlers } from "../handlers/checkpoint-handlers.ts";
import { conversationHandlers } from "../handlers/conversation-handlers.ts";
import { type PreviewHandlerParts, previewHandlers } from "../handlers/preview-handlers.ts";
import { gatewayHandlers } from "../handlers/gateway-handlers.ts";
import { networkHandlers } from "../handlers/network-handlers.ts";
import { secretHandlers } from "../handlers/secret-handlers.ts";
import { setupHandlers } from "../handlers/setup-handlers.ts";
import { serverHandlers } from "../handlers/server-handlers.ts";
import { workspaceHandlers } from "../handlers/workspace-handlers.ts";
import type { Handlers } from "../http/handlers.ts";
import type { SocketServer } from "../socket/socket-server.ts";
import { VERSION } from "../version.ts";
import type { Deliver } from "../workspaces/deliver.ts";
import { openCheckpoints } from "./checkpoints.ts";
import { type ConversationsHost, makeId } from "./conversations.ts";
import { testSetting } from "./models.ts";
import { openSetups } from "./setups.ts";
import type { State } from "./state.ts";

export type HandlerParts = {
  readonly config: Config;
  readonly state: State;
  readonly host: ConversationsHost;
  readonly tokens: SignInTokens;
  readonly cookieName: string;
  readonly checkSource: CreateParts["checkSource"];
  readonly deliverFor: (views: WorkspaceViews) => Deliver;
  readonly previews: PreviewHandlerParts;
  /** What is known only once the server listens. */
  readonly live: Live;
};

export type Live = { sockets: SocketServer | undefined; url: string; stopping: boolean };

/** The handlers of all routes. */
export function composeHandlers(parts: HandlerParts): Handlers {
  const { state, host, live } = parts;
  const views = workspaceViews({
    journal: host.journals.get,
    find: host.sandboxes.find,
    open: async (id, signal) => host.openSandbox(await host.journals.get(id), signal),
  });
  return {
    ...conversationHandlers({
      conversations: host.conversations,
      create: createParts(parts),
      store: state.store,
      removed: (id, ownerId) => live.sockets?.removed(id, ownerId),
    }),
    ...workspaceHandlers({ views, conversations: host.conversations, deliver: parts.deliverFor(views) }),
    ...previewHandlers(parts.previews),
    ...networkHandlers(state.network),
    ...checkpointHandlers({
      checkpoints: openCheckpoints(state, host),
      journal: host.journals.get,
      create: createParts(parts),
      pin: state.kept?.pin ?? (() => () => undefined),
    }),
    ...serverHandlers(serverParts(parts)),
    ...secretHandlers(state.secretStore),
    ...gatewayHandlers(async () => (await state.gateway.open()).admin),
    ...setupHandlers(openSetups(state)),
  };
}

function createParts({ config, state, host, checkSource }: HandlerParts): CreateParts {
  const { image, network, backend, profile, profiles } = config.sandbox;
  return {
    store: state.store,
    models: state.models,
    backends: state.backends,
    checkSource,
    defaults: {
      image,
      network,
      profile,
      profiles,
      limits: config.limits,
      runLimits: config.runLimits,
      unsandboxed: backend === "none",
    },
    wake: host.runs.wake,
    clock: systemClock,
    newId: makeId,
    claim: (choice) => host.pool.claim(choice),
  };
}

function serverParts(parts: HandlerParts): Parameters<typeof serverHandlers>[0] {
  const { config, state, tokens, live } = parts;
  const { network, backend, profile, profiles } = config.sandbox;
  return {
    tokens,
    sessions: state.sessions,
    signInLimit: rateLimit(10, 60_000, systemClock),
    cookie: { name: parts.cookieName, secure: config.publicUrl?.startsWith("https:") === true },
    signedOut: (session) => live.sockets?.signedOut(session),
    version: VERSION,
    home: config.home,
    askHoldMs: config.network.askMs,
    localSources: config.localSources,
    linkFor: (token) => `${live.url}/?token=${token}`,
    models: state.models,
    settings: state.settings,
    backends: state.backends,
    defaults: {
      network,
      backend,
      profile,
      profiles: [...profiles],
      limits: config.limits,
      runLimits: config.runLimits,
    },
    testModel: testSetting,
    doctor: (signal) => doctor(parts, signal),
    unready: () => (live.stopping ? "stopping" : state.store.full ? "storage_full" : undefined),
  };
}

function doctor({ config, state }: HandlerParts, signal: AbortSignal) {
  const testModel = async (limited: AbortSignal) => {
    const setting = await state.settings.current();
    return setting === undefined ? undefined : { ...(await testSetting(setting, limited)), label: setting.model };
  };
  const { backends, weakMasterKey } = state;
  const path = config.environment["PATH"];
  const { home, sandbox } = config;
  const { profiles } = sandbox;
  const noPreviews = whyNoPreviews(config);
  return examine({ home, path, profiles, backends: backends.health, testModel, weakMasterKey, noPreviews }, signal);
}
