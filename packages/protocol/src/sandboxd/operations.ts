import * as z from "zod/mini";
import { FILE_OPERATIONS } from "./file-operations.ts";
import { Bytes, listOf, operation, Path, TimeoutMs } from "./operation.ts";
import { TERMINAL_OPERATIONS } from "./terminal-operations.ts";
import { WORKSPACE_OPERATIONS } from "./workspace-operations.ts";

const Port = z.int().check(z.minimum(1), z.maximum(65_535));

/** A TCP port that a program in the sandbox listens on. `program` is its name, where it can be told. */
export const ListeningPort = z.object({ port: Port, program: z.optional(z.string().check(z.maxLength(64))) });
export type ListeningPort = z.infer<typeof ListeningPort>;

/** Every operation of sandboxd: the shape of its arguments and of its result. Errors are rows of the error table. */
export const OPERATIONS = {
  ...TERMINAL_OPERATIONS,
  ...FILE_OPERATIONS,
  ...WORKSPACE_OPERATIONS,

  /** The ports that programs listen on, as soon as they are others than `known`, or when the time is over. */
  "port.wait": operation(
    () => z.strictObject({ known: z.array(Port).check(z.maxLength(1000)), timeoutMs: TimeoutMs }),
    () => z.object({ ports: listOf(ListeningPort, 1000) }),
  ),
  /**
   * Connects to a port of the sandbox's loopback. The bytes travel on a channel of kind `port` that sandboxd opens
   * before it answers, with this ticket. `port_closed` when nothing listens there.
   */
  "port.connect": operation(
    () => z.strictObject({ port: Port, ticket: z.string().check(z.minLength(1), z.maxLength(64)) }),
    () => z.object({}),
  ),

  /**
   * Gives the sandbox what belongs to its secrets, in memory only: the certificate (PEM) of the authority that it is to
   * trust, files, and variables for the programs that start from now on. Replaces what an earlier call gave. A file's
   * `environment` is a variable that holds its path. `directory` is where all is.
   */
  "sandbox.equip": operation(
    () =>
      z.strictObject({
        authority: z.optional(z.string().check(z.maxLength(16_384))),
        files: z
          .array(
            z.strictObject({
              name: z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/)),
              data: z.string().check(z.maxLength(65_536)),
              environment: z.optional(z.string()),
            }),
          )
          .check(z.maxLength(256)),
        environment: z.record(
          z.string().check(z.regex(/^[A-Z_][A-Z0-9_]{0,127}$/)),
          z.string().check(z.maxLength(1024)),
        ),
      }),
    () => z.object({ directory: z.string() }),
  ),

  /** Runs a program without a terminal. For Handrail's own needs, not for the agent. */
  "process.run": operation(
    () =>
      z.strictObject({
        argv: z.array(z.string()).check(z.minLength(1)),
        cwd: z.optional(Path),
        stdin: z.optional(z.string()),
        timeoutMs: TimeoutMs,
        capBytes: Bytes,
      }),
    () => z.object({ exitCode: z.nullable(z.int()), stdout: z.string(), stderr: z.string(), cut: z.boolean() }),
  ),
} as const;

export type OperationName = keyof typeof OPERATIONS;
export type OperationArgs<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]["args"]>;
export type OperationResult<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]["result"]>;
