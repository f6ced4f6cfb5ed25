import type { RunPorts } from "./run-ports.ts";

const PATIENCE_MS = 15_000;

/**
 * Writes what the run has changed against the workspace's start to the log. A workspace that cannot be compared (no
 * git in the image, the sandbox gone, too slow) is no failure of the run: the changes are then looked up when asked for.
 */
export async function checkpoint(ports: RunPorts, leave: AbortSignal): Promise<void> {
  const { journal, clock } = ports;
  if (leave.aborted || journal.state.liveSandbox === null) return;
  const done = new AbortController();
  const patience = new AbortController();
  const signal = AbortSignal.any([leave, patience.signal]);
  const late = clock.sleep(PATIENCE_MS, done.signal).then(
    () => patience.abort(),
    () => undefined,
  );
  try {
    const sandbox = await ports.sandbox(signal);
    const { tree, changes } = await sandbox.call("workspace.changes", {}, { signal });
    const checkpointId = ports.newId("p");
    await journal.commit(() => [{ type: "workspace.checkpointed", checkpointId, tree, changes }]);
  } catch {
    // The reason is shown where it matters: the changes route answers with it.
  } finally {
    done.abort();
    await late;
  }
}
