import { AppError } from "@handrail/protocol/errors";

/** The daemon answered, and its answer was no. Does not leave this folder: callers give it a code. */
export class DockerError extends Error {
  override readonly name = "DockerError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether the daemon said that there is no such thing. Podman says so in words of a container that goes at that moment. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof DockerError && (thrown.status === 404 || thrown.message.endsWith(": no such container"));
}

/** Whether the daemon said that the name is taken, the state is already so, or a removal is under way. */
export function isConflict(thrown: unknown): boolean {
  return thrown instanceof DockerError && (thrown.status === 409 || thrown.status === 304);
}

/** Runs `work`; what the daemon refused becomes a `sandbox_failed` that begins with `what`. */
export async function explained<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof DockerError)) throw thrown;
    const message = `${what}: ${thrown.message}${adviceOn(thrown.message)}`;
    throw new AppError("sandbox_failed", message, { status: thrown.status }, { cause: thrown });
  }
}

/** What to do, with a space before it, where the daemon's words do not say so. */
function adviceOn(message: string): string {
  if (/container-init binary not found/.test(message)) return ". Install catatonit on the machine of Podman.";
  return "";
}
