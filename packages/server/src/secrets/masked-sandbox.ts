import { base64FromBytes, bytesFromBase64 } from "@handrail/core/base64";
import type { CallOptions, Sandbox } from "@handrail/core/ports/sandbox";
import { overwritten, type SecretMasker } from "@handrail/core/secrets/secret-masker";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationName, OperationResult } from "@handrail/protocol/sandboxd/operations";

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
        throw maskedError(thrown, masker);
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
    return maskedFile(result as OperationResult<"workspace.file">, masker) as OperationResult<Name>;
  }
  return maskedTexts(result, masker) as OperationResult<Name>;
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
  const masked = masker.bytes(bytesFromBase64(read.data)).subarray(before, before + args.length);
  return { path: masker.text(read.path), size: read.size, data: base64FromBytes(masked) };
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
  const bytes = bytesFromBase64(read.data);
  const name = masker.find(bytes);
  if (name === undefined) return { size: read.size, data: base64FromBytes(bytes.subarray(before)) };
  throw new AppError("secret_in_result", `The changes contain the secret ${name}. Have it taken out of the files.`, {
    secret: name,
  });
}

function maskedFile(
  result: OperationResult<"workspace.file">,
  masker: SecretMasker,
): OperationResult<"workspace.file"> {
  const side = (data: string | null) => data && base64FromBytes(masker.bytes(bytesFromBase64(data)));
  return { ...result, before: side(result.before), after: side(result.after) };
}

/** Every text within a value of JSON. */
function maskedTexts(value: unknown, masker: SecretMasker): unknown {
  if (typeof value === "string") return masker.text(value);
  if (Array.isArray(value)) return value.map((item) => maskedTexts(item, masker));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [masker.text(key), maskedTexts(item, masker)]));
}

function maskedError(thrown: unknown, masker: SecretMasker): unknown {
  if (!(thrown instanceof AppError)) return thrown;
  const details = maskedTexts(thrown.details, masker) as AppError["details"];
  return new AppError(thrown.code, masker.text(thrown.message), details, { cause: thrown.cause });
}
