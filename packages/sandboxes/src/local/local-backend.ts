import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type {
  BackendHealth,
  KeptConversations,
  Sandbox,
  SandboxBackend,
  SandboxSpec,
} from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { newId } from "@handrail/protocol/ids";
import type { Egress } from "../egress.ts";
import { linkTable } from "../link-table.ts";
import { newLinkToken } from "../link-token.ts";
import { openLinkSoon } from "../open-link.ts";
import { egressUnder, profileOf } from "../profiles.ts";
import { SANDBOX_STARTING } from "../texts.ts";
import type { ConversationPlace, SandboxRecord, WorkspaceBound } from "./conversation-place.ts";
import {
  conversationPlace,
  furnish,
  hasWorkspace,
  isConversationName,
  readRecord,
  removePlace,
  writeRecord,
} from "./conversation-place.ts";
import type { SandboxSocket } from "./sandbox-socket.ts";
import { sandboxSocket } from "./sandbox-socket.ts";
import { tryEach } from "../try-each.ts";
import { diskReleased, requireHostSpace } from "../disk/workspace-disk.ts";

/** One start of a sandbox on this machine. */
export type LocalStart = {
  readonly place: ConversationPlace;
  readonly record: SandboxRecord;
  /** The socket that sandboxd dials, alone in its directory. */
  readonly socketPath: string;
  /** Settles once the workspace is there, which sandboxd needs. Rejects as the start then does. */
  readonly furnished: Promise<void>;
  /** Takes sentences for people. */
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

/** A sandbox that was just started and may not be up yet. */
export type Launched = {
  /** Settles with the reason when it ends before `release`. Never rejects. */
  readonly failed: Promise<AppError>;
  /** Stops listening to what it says: it is up, or given up. */
  release(): void;
  /** When the host is rid of what only the start took; a failure is the start's. Absent: there is nothing. */
  readonly settled?: Promise<void>;
};

/** How sandboxes on this machine are started, found and ended: what differs between the kinds of isolation. */
export type LocalRunner = {
  readonly name: "process" | "none" | "containerd";
  health(signal: AbortSignal): Promise<BackendHealth>;
  /**
   * The user of the host that owns a sandbox's files, and that its programs are, or its root where they are that;
   * undefined: the server's own.
   */
  uidOf(conversationId: string, profile: SandboxProfile): Promise<number | undefined>;
  /** What bounds a new workspace; undefined where nothing does. @throws AppError for a profile not to be had */
  bound(profile: SandboxProfile): Promise<WorkspaceBound | undefined>;
  /** Starts sandboxd; it goes on when this server ends. @throws AppError `backend_unavailable` */
  launch(start: LocalStart): Promise<Launched>;
  /** Whether anything of it runs. */
  isAlive(sandboxId: string, record: SandboxRecord): Promise<boolean>;
  /** Ends all that runs in it, and waits until it is gone. */
  kill(sandboxId: string, place: ConversationPlace, record: SandboxRecord): Promise<void>;
  /** Ends what runs for conversations that are not in `keep`, whether or not they have directories here. */
  collect?(keep: KeptConversations): Promise<void>;
  /** Lets go of connections of its own, and of what is there for sandboxes while there are none. */
  close?(): Promise<void> | void;
};

export type LocalOptions = {
  /** Holds a directory for each conversation; made when it is not there. */
  readonly directory: string;
  readonly egress: Egress;
};

/** A backend whose sandboxes are processes of this machine. */
export function localBackend(runner: LocalRunner, options: LocalOptions): SandboxBackend {
  const closing = new AbortController();
  const local: Local = { runner, options, closing: closing.signal, table: linkTable(), sockets: new Map() };
  const placeOf = (conversationId: string) => conversationPlace(options.directory, conversationId);
  return {
    name: runner.name,
    health: (signal) => runner.health(signal),
    hasWorkspace: (conversationId) => hasWorkspace(placeOf(conversationId)),
    find: (conversationId, signal) => find(local, placeOf(conversationId), signal),
    start: (spec, onProgress, signal) => start(local, placeOf(spec.conversationId), { spec, onProgress, signal }),
    stop: (conversationId) => stop(local, placeOf(conversationId)),
    remove: async (conversationId) => {
      await stop(local, placeOf(conversationId));
      await removePlace(placeOf(conversationId));
    },
    collect: async (keep) => {
      const names = await readdir(options.directory).catch(() => []);
      const left = names.filter((name) => isConversationName(name) && !keep.has(name));
      const places = () =>
        tryEach(left.map(placeOf), async (place) => {
          await stop(local, place);
          await removePlace(place);
        });
      await tryEach([places, async () => runner.collect?.(keep)], (part) => part());
    },
    close: async () => {
      closing.abort(new AppError("backend_unavailable", "The server is stopping."));
      await runner.close?.();
      local.table.close();
      await Promise.all([...local.sockets.values()].map((socket) => socket.close()));
      local.sockets.clear();
    },
  };
}

type Local = {
  readonly runner: LocalRunner;
  readonly options: LocalOptions;
  /** Aborted once nothing more may be opened. */
  readonly closing: AbortSignal;
  readonly table: ReturnType<typeof linkTable>;
  /** Open sockets by sandbox. */
  readonly sockets: Map<string, SandboxSocket>;
};

type Wish = {
  readonly spec: SandboxSpec;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

async function find(local: Local, place: ConversationPlace, signal: AbortSignal): Promise<Sandbox | undefined> {
  const record = await readRecord(place);
  if (record === undefined || !(await local.runner.isAlive(record.sandboxId, record))) return undefined;
  return link(local, place, record, signal);
}

async function start(local: Local, place: ConversationPlace, wish: Wish): Promise<Sandbox> {
  const { spec, onProgress, signal } = wish;
  const found = await running(local, place, wish);
  if (found !== undefined) return found;
  await stop(local, place);
  onProgress(SANDBOX_STARTING);
  const profile = profileOf(spec.choice);
  const bound = await local.runner.bound(profile);
  await mkdir(local.options.directory, { recursive: true, mode: 0o700 });
  await requireHostSpace(local.options.directory);
  const uid = await local.runner.uidOf(spec.conversationId, profile);
  await rm(place.links, { recursive: true, force: true });
  await mkdir(place.links, { recursive: true, mode: 0o700 });
  const record = recordOf(spec, uid);
  await writeRecord(place, record);
  const furnished = furnish(place, { seedDirectory: spec.seedDirectory, uid, bound });
  try {
    return await launch(local, { place, record, furnished, onProgress, signal });
  } catch (failure) {
    await furnished.catch(() => undefined);
    await stop(local, place);
    throw failure;
  }
}

/** The sandbox is made while its workspace is. */
async function launch(local: Local, starting: Omit<LocalStart, "socketPath">): Promise<Sandbox> {
  const { place, record, furnished, signal } = starting;
  // Whoever waits for it hears of it.
  furnished.catch(() => undefined);
  const { path: socketPath } = await openSocket(local, place, record);
  signal.throwIfAborted();
  const launched = await local.runner.launch({ ...starting, socketPath });
  try {
    const opened = Promise.race([link(local, place, record, signal), launched.failed.then(thrown)]);
    await Promise.allSettled([opened, launched.settled]);
    await launched.settled;
    return await opened;
  } finally {
    launched.release();
  }
}

function recordOf({ choice }: SandboxSpec, uid: number | undefined): SandboxRecord {
  const image = choice.image === undefined ? {} : { image: choice.image };
  const owner = uid === undefined ? {} : { uid };
  return { sandboxId: newId("x", Date.now()), profile: profileOf(choice), token: newLinkToken(), ...owner, ...image };
}

/** The sandbox that runs already, if it has the profile and the image that are wished for and answers. */
async function running(local: Local, place: ConversationPlace, wish: Wish): Promise<Sandbox | undefined> {
  const record = await readRecord(place);
  const { choice } = wish.spec;
  if (record?.profile !== profileOf(choice) || record.image !== choice.image) return undefined;
  const found = await find(local, place, wish.signal).catch(() => undefined);
  wish.signal.throwIfAborted();
  return found;
}

async function stop(local: Local, place: ConversationPlace): Promise<void> {
  const record = await readRecord(place);
  local.table.release(place.conversationId);
  if (record === undefined) return;
  await local.sockets.get(record.sandboxId)?.close();
  local.sockets.delete(record.sandboxId);
  await local.runner.kill(record.sandboxId, place, record);
  await diskReleased(place);
}

async function link(
  local: Local,
  place: ConversationPlace,
  record: SandboxRecord,
  signal: AbortSignal,
): Promise<Sandbox> {
  const { sandboxId } = record;
  return local.table.open(place.conversationId, sandboxId, async () => {
    const socket = await openSocket(local, place, record);
    const isAlive = () => local.runner.isAlive(sandboxId, record);
    let reached = false;
    return openLinkSoon(
      {
        sandboxId,
        backend: local.runner.name,
        connect: async (signal) => {
          // One that was up and has ended will never dial again.
          if (reached && !(await isAlive())) throw new AppError("sandbox_gone", "The sandbox has ended.");
          const stream = await socket.next(signal);
          reached = true;
          return stream;
        },
        onEgress: egressUnder(record.profile, (stream) =>
          local.options.egress({ conversationId: place.conversationId }, stream),
        ),
        isAlive,
      },
      signal,
    );
  });
}

/** Each start has a socket of its own, so that what is left of an earlier one cannot answer in its place. */
async function openSocket(local: Local, place: ConversationPlace, record: SandboxRecord): Promise<SandboxSocket> {
  const { closing, sockets } = local;
  const open = sockets.get(record.sandboxId);
  if (open !== undefined) return open;
  closing.throwIfAborted();
  const socket = await sandboxSocket(join(place.links, record.sandboxId), record);
  if (closing.aborted) await socket.close();
  closing.throwIfAborted();
  sockets.set(record.sandboxId, socket);
  return socket;
}

function thrown(failure: AppError): never {
  throw failure;
}
