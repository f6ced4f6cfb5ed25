import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Model } from "@handrail/core/ports/model";
import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import { memoryLogStore } from "@handrail/core/testing/memory-log-store";
import { scriptedModel } from "@handrail/core/testing/scripted-model-port";
import { type SandboxHandlers, scriptedSandbox } from "@handrail/core/testing/scripted-sandbox";
import type { FastifyInstance } from "fastify";
import { addresses } from "../auth/addresses.ts";
import { identifyBy } from "../auth/identify.ts";
import { openSessions, SessionsFile } from "../auth/sessions.ts";
import { teamsFrom } from "../auth/teams.ts";
import { type SignInTokens, signInTokens } from "../auth/sign-in-tokens.ts";
import { systemClock } from "../clock.ts";
import { lazyBackends } from "../compose/backends.ts";
import { type ConversationsHost, hostConversations } from "../compose/conversations.ts";
import { composeHandlers, type Live } from "../compose/handlers.ts";
import { openNetwork } from "../compose/egress.ts";
import { allMetrics } from "../compose/gateway/all-metrics.ts";
import { gatewayDoor } from "../compose/gateway/gateway-door.ts";
import { openModels } from "../compose/gateway/open-models.ts";
import { lazyDemoModel } from "../compose/models.ts";
import { hostPreviews, type PreviewHost } from "../compose/previews.ts";
import type { State } from "../compose/state.ts";
import { type Config, readConfig } from "../config.ts";
import { liveDeltas } from "../conversations/live-deltas.ts";
import { openJournals } from "../conversations/open-journals.ts";
import { observedStore } from "../conversations/observed-store.ts";
import { buildApp } from "../http/app.ts";
import { serverLog } from "../log.ts";
import { metrics as countMetrics } from "../metrics.ts";
import { jsonFile } from "../settings/json-file.ts";
import { lazySandboxSecrets, openSecretStore } from "../compose/secrets.ts";
import { mask as secretMask } from "../settings/mask.ts";
import { modelSettings, StoredModel } from "../settings/model-settings.ts";
import { openSecrets } from "../settings/secrets.ts";
import { eventFeeds } from "../socket/event-feed.ts";
import { serveSockets } from "../socket/socket-server.ts";

export type ServerFixture = {
  readonly app: FastifyInstance;
  readonly config: Config;
  readonly state: State;
  readonly host: ConversationsHost;
  readonly tokens: SignInTokens;
  readonly live: Live;
  readonly previews: PreviewHost;
  readonly cookieName: string;
  /** Of the local programs. */
  readonly bearer: { readonly authorization: string; readonly host: string };
  /** Listens on a free port of loopback, with sockets, and gives `host:port`. */
  listen(): Promise<string>;
  close(): Promise<void>;
};

export type FixtureOptions = {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly model?: Model;
  readonly sandbox?: SandboxHandlers;
};

/** The whole server over a store in memory, a scripted model as `demo`, and a scripted sandbox as `process`. */
export async function serverFixture(options: FixtureOptions = {}): Promise<ServerFixture> {
  const home = await mkdtemp(join(tmpdir(), "handrail-server-"));
  const config = readConfig(["--home", home, "--log-level", "silent", ...(options.argv ?? [])], options.env ?? {});
  const state = await fixtureState(config, options);
  const host = hostConversations({
    ...state,
    prepareSeed: seed,
    emptySeed: seed,
    setup: config.setup,
    maxRuns: config.maxRuns,
    warmSandboxes: config.sandbox.warm,
  });
  const tokens = signInTokens(systemClock);
  const cookieName = "handrail_test";
  const allowed = addresses(config);
  const { sessions, localToken, teamsOf, store, log } = state;
  const identify = identifyBy({ sessions, addresses: allowed, cookieName, localToken, teamsOf });
  const live: Live = { sockets: undefined, url: "http://localhost", stopping: false };
  const previews = await hostPreviews({ config, state, host, cookieName });
  const parts = { config, state, host, tokens, cookieName, previews, live };
  const deliverFor = () => () => Promise.reject(new Error("Nothing is delivered in this test."));
  const { ownerOf } = host.conversations;
  const app = await buildApp({
    handlers: composeHandlers({ ...parts, checkSource: async () => undefined, deliverFor }),
    identify,
    ownerOf,
    log,
    mask: state.mask,
    addresses: allowed,
    version: "0.0.0",
    webDirectory: config.webDirectory,
    metrics: { open: config.metricsPublic, text: allMetrics(state.metrics, state.gateway) },
    observe: state.metrics.request,
    gateway: gatewayDoor(state.gateway),
  });
  const onFailure = (thrown: unknown) => log.error(thrown);
  return {
    ...parts,
    app,
    bearer: { authorization: `Bearer ${localToken}`, host: "localhost" },
    async listen() {
      await app.listen({ host: "127.0.0.1", port: 0 });
      const feeds = eventFeeds({ store, deltas: host.deltas, onFailure });
      const openSandbox = async (id: string, signal: AbortSignal) =>
        host.openSandbox(await host.journals.get(id), signal);
      const { deltas } = host;
      const version = "0.0.0";
      live.sockets = serveSockets(app.server, {
        store,
        deltas,
        feeds,
        identify,
        ownerOf,
        addresses: allowed,
        version,
        onFailure,
        openSandbox,
      });
      return app.listeningOrigin.replace("http://", "");
    },
    async close() {
      await host.runs.close();
      previews.close();
      live.sockets?.close();
      await app.close();
      await state.gateway.close();
      host.journals.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const seed = async () => ({ directory: "/nonexistent", dispose: async () => undefined });

async function fixtureState(config: Config, { model, sandbox }: FixtureOptions): Promise<State> {
  const mask = secretMask();
  const localToken = "local-token";
  const metrics = countMetrics();
  const scripted = model ?? scriptedModel([{ text: "All done." }]);
  const secrets = await openSecrets(join(config.home, "secret.key"));
  const secretStore = openSecretStore({ home: config.home, secrets, mask });
  const settings = modelSettings({
    fixed: config.model,
    file: jsonFile(join(config.home, "model.json"), StoredModel),
    secrets,
    mask,
    createModel: async () => scripted,
    demoModel: async () => scripted,
  });
  const store = observedStore(memoryLogStore(), (id, events) => {
    events.forEach(({ event }) => metrics.event(event));
    network.onStored(id, events);
  });
  const log = serverLog("silent", mask);
  const journals = openJournals(store, systemClock, (thrown) => log.error(thrown));
  const deltas = liveDeltas();
  const teamsOf = teamsFrom(config);
  const sandboxSecrets = lazySandboxSecrets(secretStore, { home: config.home, journals, teamsOf });
  const network = await openNetwork({ config, journals, deltas, log, sandboxSecrets, teamsOf });
  const opened = { config, settings, secrets, mask, localToken, log, store };
  return {
    log,
    mask,
    metrics,
    store,
    journals,
    deltas,
    network,
    sessions: await openSessions(jsonFile(join(config.home, "sessions.json"), SessionsFile), systemClock),
    teamsOf,
    secrets,
    settings,
    ...(await openModels({ ...opened, demo: lazyDemoModel() })),
    models: settings,
    secretStore,
    backends: lazyBackends({ process: async () => scriptedBackend(sandbox) }, undefined),
    kept: undefined,
    mayMiss: () => false,
    localToken,
    close: async () => undefined,
  };
}

/** Makes a new scripted sandbox at each start, with a boot id of its own. */
function scriptedBackend(handlers: SandboxHandlers = {}): SandboxBackend {
  const running = new Map<string, ReturnType<typeof scriptedSandbox>>();
  const workspaces = new Set<string>();
  let starts = 0;
  return {
    name: "process",
    health: async () => ({ name: "process", works: true, detail: "scripted", profiles: ["strict", "default", "dev"] }),
    hasWorkspace: async (id) => workspaces.has(id),
    find: async (id) => running.get(id),
    async start({ conversationId }) {
      starts += 1;
      const sandbox = scriptedSandbox(handlers, `boot-${starts}`);
      running.set(conversationId, sandbox);
      workspaces.add(conversationId);
      return sandbox;
    },
    async stop(id) {
      running.delete(id);
    },
    async remove(id) {
      running.delete(id);
      workspaces.delete(id);
    },
    collect: async () => undefined,
    close: async () => undefined,
  };
}
