import { Readable } from "node:stream";
import type { Journal } from "@handrail/core/journal";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { OperationArgs, OperationName, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { AppError, toAppError } from "@handrail/protocol/errors";
import type { FileChange } from "@handrail/protocol/changes";
import { type LeftOutFiles, leftOutText, MAX_PATCH_BYTES } from "@handrail/protocol/left-out-files";

/** Looks into conversations' workspaces, through their sandboxes. */
export type WorkspaceViews = {
  /**
   * `live`: as the files are now; else as the log last knew them, which does not tell what is left out. Never starts a
   * sandbox.
   */
  changes(id: string, signal: AbortSignal): Promise<{ changes: FileChange[]; live: boolean; leftOut?: LeftOutFiles }>;
  call<Name extends OperationName>(
    id: string,
    operation: Name,
    args: OperationArgs<Name>,
    signal: AbortSignal,
  ): Promise<OperationResult<Name>>;
  /** The patch against the workspace's start, in pieces as it is read. @throws AppError `nothing_changed` */
  patch(id: string, signal: AbortSignal): Promise<Readable>;
};

export type ViewParts = {
  readonly journal: (id: string) => Promise<Journal>;
  readonly find: (journal: Journal, signal: AbortSignal) => Promise<Sandbox | undefined>;
  readonly open: (id: string, signal: AbortSignal) => Promise<Sandbox>;
};

const PIECE_BYTES = 1024 ** 2;
const TIMEOUT_MS = 60_000;

export function workspaceViews({ journal, find, open }: ViewParts): WorkspaceViews {
  const limited = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return {
    async changes(id, signal) {
      const of = await journal(id);
      const sandbox = await find(of, limited(signal)).catch(() => undefined);
      if (sandbox === undefined) return { changes: [...of.state.changes], live: false };
      const { changes, leftOut } = await sandbox.call("workspace.changes", {}, { signal: limited(signal) });
      return { changes, live: true, ...(leftOut && { leftOut }) };
    },
    async call(id, operation, args, signal) {
      const look = async () => (await open(id, signal)).call(operation, args, { signal: limited(signal) });
      try {
        return await look();
      } catch (thrown) {
        // It died after it was last used; a look changes nothing, so it may be taken again, in a new one.
        if (signal.aborted || toAppError(thrown).code !== "sandbox_gone") throw thrown;
        return look();
      }
    },
    async patch(id, signal) {
      // A sandbox that could not be started is not started again for nothing.
      if (!hasWorkspace(await journal(id))) throw nothingChanged(undefined);
      const sandbox = await open(id, signal);
      const first = await patchPiece(sandbox, 0, signal);
      if (first.size === 0) throw nothingChanged(first.leftOut);
      return Readable.from(patchPieces(sandbox, first, signal));
    },
  };
}

/** Whether there may be files: of an image without git only a sandbox or a checkpoint tells. */
function hasWorkspace({ state: { workspace, liveSandbox, snapshots } }: Journal): boolean {
  return workspace !== null || liveSandbox !== null || snapshots.latest !== null || snapshots.fork !== undefined;
}

function nothingChanged(leftOut: LeftOutFiles | undefined): AppError {
  if (leftOut === undefined) return new AppError("nothing_changed", "Nothing has changed, so there is no patch.");
  return new AppError("nothing_changed", `No file that is compared has changed. ${leftOutText(leftOut)}`);
}

type Piece = { readonly data: Buffer; readonly size: number; readonly leftOut: LeftOutFiles | undefined };

async function patchPiece(sandbox: Sandbox, offset: number, signal: AbortSignal): Promise<Piece> {
  const args = { offset, length: PIECE_BYTES };
  const { data, size, leftOut } = await sandbox.call("workspace.patch", args, { signal });
  if (size > MAX_PATCH_BYTES) throw new AppError("file_too_large", "The patch is larger than 256 MiB.", { size });
  return { data: Buffer.from(data, "base64"), size, leftOut };
}

async function* patchPieces(sandbox: Sandbox, first: Piece, signal: AbortSignal): AsyncGenerator<Buffer> {
  yield first.data;
  for (let offset = first.data.length; offset < first.size;) {
    const { data, size } = await patchPiece(sandbox, offset, signal);
    if (size !== first.size) throw new AppError("file_changed", "The files changed meanwhile. Take the patch again.");
    if (data.length === 0) throw new AppError("sandboxd_protocol", "The sandbox gave less of the patch than it said.");
    yield data;
    offset += data.length;
  }
}

/** The whole patch in memory. @throws AppError `nothing_changed`, `file_too_large`, `file_changed` */
export async function readPatch(views: WorkspaceViews, id: string, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of await views.patch(id, signal)) pieces.push(piece as Buffer);
  } catch (thrown) {
    signal.throwIfAborted();
    throw toAppError(thrown);
  }
  return Buffer.concat(pieces);
}
