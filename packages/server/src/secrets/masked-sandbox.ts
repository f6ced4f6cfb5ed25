import type { CallOptions, Sandbox } from "@handrail/core/ports/sandbox";
import { labelled, overwritten, type SecretMasker, type Writing } from "@handrail/core/secrets/secret-masker";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationName, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { inTurn } from "../checkpoints/turns.ts";

export type MaskedSandboxParts = {
  /** The one for the secrets as they are now. */
  readonly masker: () => Promise<SecretMasker>;
  /** Brings the sandbox up to date with the secrets, before a call. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
};

/**
 * The sandbox, with secrets masked in all that comes out of it: results, live output, errors. What is read by offset
 * (files, terminals) keeps its length. A patch that holds a secret is refused: masked, it would no longer apply.
 */
export function maskedSandbox(sandbox: Sandbox, { prepare, masker: maskerNow }: MaskedSandboxParts): Sandbox {
  return {
    sandboxId: sandbox.sandboxId,
    backend: sandbox.backend,
    get bootId() {
      return sandbox.bootId;
    },
    status: (id) => sandbox.status(id),
    // What a port's program says goes to a person's browser as it is.
    connect: (port, signal) => sandbox.connect(port, signal),
    acknowledge: (ids) => sandbox.acknowledge(ids),
    gone: Promise.all([sandbox.gone, maskerNow().catch(() => undefined)]).then(
      ([reason, masker]) => masker?.text(reason) ?? GONE,
    ),
    async call(operation, args, options) {
      await prepare(options.signal);
      const masker = await maskerNow();
      if (masker.longest === 0) return sandbox.call(operation, args, options);
      try {
        return await callMasked(sandbox, { operation, args, options, masker });
      } catch (thrown) {
        throw await maskedError(thrown, masker);
      }
    },
  };
}

const GONE = "The sandbox is gone.";

type Call<Name extends OperationName> = {
  readonly operation: Name;
  readonly args: OperationArgs<Name>;
  readonly options: CallOptions;
  readonly masker: SecretMasker;
};

async function callMasked<Name extends OperationName>(
  sandbox: Sandbox,
  call: Call<Name>,
): Promise<OperationResult<Name>> {
  const { operation, args, masker } = call;
  const options = maskedOutput(call.options, masker);
  if (operation === "file.bytes") {
    return (await fileBytes(sandbox, args as OperationArgs<"file.bytes">, options, masker)) as OperationResult<Name>;
  }
  if (operation === "workspace.patch") {
    return (await patch(sandbox, args as OperationArgs<"workspace.patch">, options, masker)) as OperationResult<Name>;
  }
  const result = await sandbox.call(operation, args, options);
  if (operation === "workspace.file") {
    return (await maskedFile(result as OperationResult<"workspace.file">, masker)) as OperationResult<Name>;
  }
  return (await inTurn(maskedTexts(result, masker))) as OperationResult<Name>;
}

/**
 * Live output keeps its offsets. It is followed from a little earlier than was asked for, so that a secret that the
 * offset cuts is seen whole.
 */
function maskedOutput(options: CallOptions, masker: SecretMasker): CallOptions {
  const { onOutput, outputFrom: from = 0 } = options;
  if (onOutput === undefined) return options;
  let masking = masker.stream(overwritten, { releases: 3 });
  let read = -1;
  let written = 0;
  return {
    ...options,
    outputFrom: Math.max(0, from - masker.longest),
    onOutput(offset, bytes) {
      // Older output may be gone, and the rest comes from later on.
      if (offset !== read) {
        masking = masker.stream(overwritten, { releases: 3 });
        written = offset;
      }
      read = offset + bytes.length;
      const masked = masking.push(bytes);
      const begin = written;
      written += masked.length;
      const skipped = Math.max(0, from - begin);
      if (skipped < masked.length) onOutput(begin + skipped, masked.subarray(skipped));
    },
  };
}

const MAX_PIECE = 4 * 1024 * 1024;

/** Read with a margin on both sides, as far as one read may be long. */
async function fileBytes(
  sandbox: Sandbox,
  args: OperationArgs<"file.bytes">,
  options: CallOptions,
  masker: SecretMasker,
): Promise<OperationResult<"file.bytes">> {
  const before = Math.min(args.offset, masker.longest, Math.max(0, MAX_PIECE - args.length));
  const after = Math.min(masker.longest, Math.max(0, MAX_PIECE - args.length - before));
  const wide = { ...args, offset: args.offset - before, length: args.length + before + after };
  const read = await sandbox.call("file.bytes", wide, options);
  const masked = (await inTurn(maskedBytes(read.data, masker))).subarray(before, before + args.length);
  return { path: masker.text(read.path), size: read.size, data: masked.toString("base64") };
}

async function patch(
  sandbox: Sandbox,
  args: OperationArgs<"workspace.patch">,
  options: CallOptions,
  masker: SecretMasker,
): Promise<OperationResult<"workspace.patch">> {
  const before = Math.min(args.offset, masker.longest);
  const wide = { offset: args.offset - before, length: args.length + before };
  const read = await sandbox.call("workspace.patch", wide, options);
  const bytes = Buffer.from(read.data, "base64");
  const name = await inTurn(found(bytes, masker));
  if (name === undefined) return { size: read.size, data: bytes.subarray(before).toString("base64") };
  throw new AppError("secret_in_result", `The changes contain the secret ${name}. Have it taken out of the files.`, {
    secret: name,
  });
}

async function maskedFile(
  result: OperationResult<"workspace.file">,
  masker: SecretMasker,
): Promise<OperationResult<"workspace.file">> {
  const side = async (data: string | null) => data && (await inTurn(maskedBytes(data, masker))).toString("base64");
  return { ...result, before: await side(result.before), after: await side(result.after) };
}

/** What is masked at a time, before others may have their turns. */
const SLICE = 64 * 1024;

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE) yield bytes.subarray(at, at + SLICE);
}

function* maskedSlices(bytes: Uint8Array, masker: SecretMasker, writing: Writing): Generator<undefined, Buffer> {
  const masking = masker.stream(writing);
  const parts: Uint8Array[] = [];
  for (const slice of slices(bytes)) {
    parts.push(masking.push(slice));
    yield;
  }
  return Buffer.concat([...parts, masking.end()]);
}

const maskedBytes = (base64: string, masker: SecretMasker) =>
  maskedSlices(Buffer.from(base64, "base64"), masker, overwritten);

/** The name of the first secret in the bytes, or undefined. */
function* found(bytes: Uint8Array, masker: SecretMasker): Generator<undefined, string | undefined> {
  const search = masker.search();
  for (const slice of slices(bytes)) {
    const name = search(slice);
    if (name !== undefined) return name;
    yield;
  }
  return undefined;
}

function* maskedText(text: string, masker: SecretMasker): Generator<undefined, string> {
  if (text.length <= SLICE) return masker.text(text);
  const bytes = Buffer.from(text);
  const name = yield* found(bytes, masker);
  return name === undefined ? text : (yield* maskedSlices(bytes, masker, labelled)).toString();
}

/** Every text within a value of JSON. */
function* maskedTexts(value: unknown, masker: SecretMasker): Generator<undefined, unknown> {
  yield;
  if (typeof value === "string") return yield* maskedText(value, masker);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(yield* maskedTexts(item, masker));
    return items;
  }
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) entries.push([masker.text(key), yield* maskedTexts(item, masker)]);
  return Object.fromEntries(entries);
}

async function maskedError(thrown: unknown, masker: SecretMasker): Promise<unknown> {
  if (!(thrown instanceof AppError)) return thrown;
  const details = (await inTurn(maskedTexts(thrown.details, masker))) as AppError["details"];
  return new AppError(thrown.code, masker.text(thrown.message), details, { cause: thrown.cause });
}
