import type { AddressInfo } from "node:net";
import { type DirectoryLock, lockDirectory } from "@handrail/logs/directory-lock";
import { AppError } from "@handrail/protocol/errors";
import type { FastifyInstance } from "fastify";
import { type Addresses, addresses } from "../auth/addresses.ts";
import { cookieNameFor } from "../auth/cookies.ts";
import { type Identify, identifyBy } from "../auth/identify.ts";
import { signInTokens } from "../auth/sign-in-tokens.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { buildApp } from "../http/app.ts";
import { removeUnfinished } from "../settings/json-file.ts";
import { eventFeeds } from "../socket/event-feed.ts";
import { serveSockets, type SocketServer } from "../socket/socket-server.ts";
import { VERSION } from "../version.ts";
import { type ConversationsHost, hostConversations } from "./conversations.ts";
import { composeHandlers, type HandlerParts, type Live } from "./handlers.ts";
import { housekeeping } from "./housekeeping.ts";
import { openHome } from "./open-home.ts";
import { writeServerFile } from "./server-file.ts";
import { allMetrics } from "./gateway/all-metrics.ts";
import { gatewayDoor } from "./gateway/gateway-door.ts";
import { hostPreviews } from "./previews.ts";
import { noteLock } from "./restored-state.ts";
import { openState, type State } from "./state.ts";
import { workspacesOf } from "./workspaces.ts";

/** A server that listens. */
export type RunningServer = {
  /** With a one-time token: whoever opens it is signed in. */
  readonly signInUrl: string;
  /** Logs what ends the program, with its stack. */
  logFatal(thrown: unknown): void;
  /** Takes no more work, leaves runs open in their logs, and lets go of everything. */
  close(): Promise<void>;
};

const START_LINK_LIFE_MS = 24 * 3_600_000;
const CLOSE_RUNS_MS = 3000;
/** What is not removed by then is collected at the next start. */
const CLOSE_POOL_MS = 2000;

/**
 * Starts everything, in the order in which it depends on each other.
 * @throws AppError `config_invalid`, `state_locked`, `port_taken`, `storage_failed`, `storage_full`, `storage_newer`,
 * `secret_unreadable`
 */
export async function startServer(config: Config): Promise<RunningServer> {
  await openHome(config.home);
  const lock = lockDirectory(config.home, (putBack) => {
    // Where that fails, the next start says that the directory was restored.
    noteLock(config.home, putBack).catch(() => undefined);
  });
  try {
    await removeUnfinished(config.home);
    const running = await startLocked(config, lock);
    return { ...running, close: () => running.close().finally(() => lock.release()) };
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

async function startLocked(config: Config, held: DirectoryLock): Promise<RunningServer> {
  const state = await openState(config, held);
  const { prepareSeed, emptySeed, checkSource, deliverFor } = workspacesOf(config);
  const seeds = { prepareSeed, emptySeed };
  const host = hostConversations({ ...state, ...seeds, ...config, warmSandboxes: config.sandbox.warm });
  const tokens = signInTokens(systemClock);
  const cookieName = cookieNameFor(config.home, config.publicUrl?.startsWith("https:") === true);
  const door = doorOf(config, state, cookieName);
  const previews = await hostPreviews({ config, state, host, cookieName });
  const live: Live = { sockets: undefined, url: "", stopping: false };
  const deliver: HandlerParts["deliverFor"] = (views) => deliverFor(host.journals.get, views);
  const made = { config, state, host, tokens, cookieName, checkSource, deliverFor: deliver, previews, live };
  const { log, metrics, mask } = state;
  const app = await buildApp({
    ...door,
    handlers: composeHandlers(made),
    ownerOf: host.conversations.ownerOf,
    log,
    mask,
    version: VERSION,
    webDirectory: config.webDirectory,
    metrics: { open: config.metricsPublic, text: allMetrics(metrics, state.gateway) },
    observe: metrics.request,
    gateway: gatewayDoor(state.gateway),
  });
  await Promise.all([listen(app, config), previews.listen()]).catch(async (thrown: unknown) => {
    previews.close();
    await state.close();
    throw thrown;
  });
  const localUrl = urlOf(app, config);
  live.url = config.publicUrl ?? localUrl;
  const sockets = openSockets(app, state, host, door);
  live.sockets = sockets;
  const removeFile = await writeServerFile(config.home, { pid: process.pid, url: localUrl, token: state.localToken });
  const keeping = housekeeping({ ...state, host, setup: config.setup, idleMs: config.sandbox.idleMs });
  for (const warning of config.warnings) log.warn(warning);
  const close = async () => {
    live.stopping = true;
    keeping.stop();
    previews.close();
    await leaveSandboxes(host);
    sockets.close();
    await Promise.race([app.close(), pause(500)]);
    await removeFile();
    await state.close();
  };
  const logFatal = (thrown: unknown) => log.fatal({ err: thrown }, "an unforeseen failure ends the server");
  return { logFatal, signInUrl: `${live.url}/?token=${tokens.mint(START_LINK_LIFE_MS).token}`, close };
}

/** Runs stay open in their logs and go on later; what waits for conversations is of no more use. */
async function leaveSandboxes({ runs, pool }: ConversationsHost): Promise<void> {
  await Promise.all([
    Promise.race([runs.close(), pause(CLOSE_RUNS_MS)]),
    Promise.race([pool.close(), pause(CLOSE_POOL_MS)]),
  ]);
}

type Door = { readonly addresses: Addresses; readonly identify: Identify };

function doorOf(config: Config, { sessions, localToken, teamsOf }: State, cookieName: string): Door {
  const allowed = addresses(config);
  return {
    addresses: allowed,
    identify: identifyBy({ sessions, addresses: allowed, cookieName, localToken, teamsOf }),
  };
}

function openSockets(app: FastifyInstance, state: State, host: ConversationsHost, door: Door): SocketServer {
  const { store, log, metrics } = state;
  const { deltas } = host;
  const onFailure = (thrown: unknown) => log.error({ err: thrown }, "a socket failed");
  const sockets = serveSockets(app.server, {
    ...door,
    store,
    deltas,
    onFailure,
    version: VERSION,
    feeds: eventFeeds({ store, deltas, onFailure }),
    ownerOf: host.conversations.ownerOf,
    async openSandbox(id, signal) {
      const release = host.sandboxes.hold(id);
      signal.addEventListener("abort", release, { once: true });
      return host.openSandbox(await host.journals.get(id), signal);
    },
  });
  metrics.watch({
    activeRuns: () => host.runs.active,
    waitingRuns: () => host.runs.waiting,
    sandboxes: () => host.sandboxes.running,
    waitingSandboxes: () => host.pool.waiting,
    sockets: () => sockets.open,
  });
  return sockets;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** @throws AppError `port_taken`, `config_invalid` */
async function listen(app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      const message = `Port ${port} on ${host} is taken. Stop what uses it, or choose another with PORT or --port.`;
      throw new AppError("port_taken", message, { port, host }, { cause });
    }
    const reason = code === "EACCES" ? "this user may not use it" : (code ?? "unknown reason");
    throw new AppError("config_invalid", `Cannot listen on ${host}, port ${port}: ${reason}.`, {}, { cause });
  }
}

/** How programs of this machine reach the server. */
function urlOf(app: FastifyInstance, { host }: Config): string {
  const { port } = app.server.address() as AddressInfo;
  const everywhere = host === "0.0.0.0" || host === "::";
  const name = everywhere ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
