import { join } from "node:path";
import type { LogStore } from "@handrail/core/ports/log-store";
import type { WeakKey } from "@handrail/gateway/program/check-master-key";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import type { StoredEvent } from "@handrail/protocol/events";
import type { HeldLock } from "@handrail/sandboxes/labels/makers";
import type { Logger } from "pino";
import { openSessions, type Sessions, SessionsFile } from "../auth/sessions.ts";
import { teamsFrom, type TeamsOf } from "../auth/teams.ts";
import type { KeptFiles } from "../checkpoints/kept-files.ts";
import { newSecret } from "../auth/sign-in-tokens.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { type LiveDeltas, liveDeltas } from "../conversations/live-deltas.ts";
import { type OpenJournals, openJournals } from "../conversations/open-journals.ts";
import { observedStore, type ObservedStore } from "../conversations/observed-store.ts";
import type { Backends, Models } from "../conversations/ports.ts";
import { serverLog } from "../log.ts";
import { metrics as countMetrics, type Metrics } from "../metrics.ts";
import { jsonFile } from "../settings/json-file.ts";
import { type Mask, mask as secretMask } from "../settings/mask.ts";
import { type ModelSettings, modelSettings, StoredModel } from "../settings/model-settings.ts";
import { openSecrets, type Secrets } from "../settings/secrets.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import { backendLoaders } from "./adapters.ts";
import { openKeptFiles } from "./checkpoints.ts";
import { lazyBackends } from "./backends.ts";
import { openRestoredState, type RestoredState } from "./restored-state.ts";
import { openInstallation } from "./installation.ts";
import { type Network, openNetwork } from "./egress.ts";
import { lazySandboxSecrets, loadersWithSecrets, openSecretStore } from "./secrets.ts";
import { type LazyGateway } from "./gateway/lazy-gateway.ts";
import { openModels } from "./gateway/open-models.ts";
import { lazyDemoModel, loadModel } from "./models.ts";

/** What the server keeps on disk and reaches outside, opened. */
export type State = {
  readonly log: Logger;
  readonly mask: Mask;
  readonly metrics: Metrics;
  readonly store: ObservedStore;
  readonly journals: OpenJournals;
  readonly deltas: LiveDeltas;
  readonly network: Network;
  readonly sessions: Sessions;
  readonly teamsOf: TeamsOf;
  readonly secrets: Secrets;
  /** The first model, as it is set. */
  readonly settings: ModelSettings;
  /** What conversations may name. */
  readonly models: Models;
  readonly gateway: LazyGateway;
  /** What to say of a master key of the gateway that can be guessed. */
  readonly weakMasterKey: WeakKey | undefined;
  readonly secretStore: SecretStore;
  readonly backends: Backends;
  /** Undefined when checkpoints are off. */
  readonly kept: KeptFiles | undefined;
  /** As of a state directory that was restored. */
  readonly mayMiss: RestoredState["mayMiss"];
  /** The bearer token of local programs, new with each start. */
  readonly localToken: string;
  close(): Promise<void>;
};

/**
 * `held`: this process's lock on the state directory, where it has one.
 * @throws AppError `storage_failed`, `storage_full`, `storage_newer`, `secret_unreadable`
 */
export async function openState(config: Config, held?: HeldLock): Promise<State> {
  const { home } = config;
  const { mask, log, localToken } = openLog(config);
  const metrics = countMetrics();
  const installation = await openInstallation(home);
  const [database, secrets, sessions] = await Promise.all([
    sqliteLogStore({ file: join(home, "handrail.sqlite") }),
    openSecrets(join(home, "secret.key")),
    openSessions(jsonFile(join(home, "sessions.json"), SessionsFile), systemClock),
  ]);
  // Before anything is written.
  const mayMiss = await lookAtRestored(home, { held, log, store: database });
  const store = observedStore(database, (id, events) => {
    observe({ config, metrics, log }, id, events);
    network.onStored(id, events);
  });
  const journals = openJournals(store, systemClock, (thrown) => log.error({ err: thrown }, "background work failed"));
  const deltas = liveDeltas();
  const teamsOf = teamsFrom(config);
  const secretStore = openSecretStore({ home, secrets, mask });
  const sandboxSecrets = lazySandboxSecrets(secretStore, { home, journals, teamsOf });
  const network = await openNetwork({ config, journals, deltas, log, sandboxSecrets, teamsOf });
  const demo = lazyDemoModel();
  const settings = settingsOf(config, { secrets, mask, demo });
  const opened = await openModels({ config, settings, demo, secrets, mask, localToken, log, store });
  const { gateway } = opened;
  const loaders = loadersWithSecrets(backendLoaders(config, { installation, held }, network.egress), sandboxSecrets);
  const backends = lazyBackends(loaders, config.sandbox.backend);
  const close = closing([gateway, demo, backends], { network, journals, store });
  const kept = openKeptFiles(config, secrets);
  return {
    log,
    mask,
    metrics,
    store,
    journals,
    deltas,
    network,
    sessions,
    teamsOf,
    secrets,
    settings,
    ...opened,
    secretStore,
    backends,
    kept,
    mayMiss,
    localToken,
    close,
  };
}

type Looking = { readonly held: HeldLock | undefined; readonly log: Logger; readonly store: LogStore };

async function lookAtRestored(home: string, { held, log, store }: Looking): Promise<RestoredState["mayMiss"]> {
  if (held === undefined) return () => false;
  const { mayMiss, warning } = await openRestoredState(home, held.lock, { store, nowMs: Date.now() });
  if (warning !== undefined) log.warn(warning);
  return mayMiss;
}

function openLog({ logLevel }: Config): Pick<State, "mask" | "log" | "localToken"> {
  const mask = secretMask();
  const localToken = newSecret();
  mask.add(localToken);
  return { mask, log: serverLog(logLevel, mask), localToken };
}

/** Lets go of what uses the network and the logs, then of these. */
function closing(
  users: readonly { close(): Promise<void> }[],
  { network, journals, store }: Pick<State, "network" | "journals" | "store">,
) {
  return async () => {
    await Promise.allSettled(users.map((one) => one.close()));
    await network.close();
    journals.close();
    await store.close();
  };
}

type SettingsParts = Pick<State, "secrets" | "mask"> & { readonly demo: ReturnType<typeof lazyDemoModel> };

function settingsOf({ home, model }: Config, { secrets, mask, demo }: SettingsParts): ModelSettings {
  return modelSettings({
    fixed: model,
    secrets,
    mask,
    createModel: loadModel,
    demoModel: demo.open,
    file: jsonFile(join(home, "model.json"), StoredModel),
  });
}

function observe(
  { config, metrics, log }: Pick<State, "metrics" | "log"> & { readonly config: Config },
  conversationId: string,
  events: readonly StoredEvent[],
): void {
  for (const { seq, event } of events) {
    metrics.event(event);
    if (config.logAllEvents) log.info({ conversationId, seq, event }, event.type);
  }
}
