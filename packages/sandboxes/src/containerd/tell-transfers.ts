import { setTimeout as delay } from "node:timers/promises";
import type { pullReport } from "../pull-report.ts";
import type { CriClient } from "./cri-client.ts";

const LOOK_MS = 500;

/**
 * Tells how far a pull is, which CRI does not, for as long as it lasts: what containerd has of each layer, as Docker would
 * say it. Two pulls at a time are told as one. Settles after the signal's abort, or when the runtime does not say. Never
 * rejects.
 */
export async function tellTransfers(
  client: Pick<CriClient, "transfers">,
  report: ReturnType<typeof pullReport>,
  signal: AbortSignal,
  everyMs = LOOK_MS,
): Promise<void> {
  let before: readonly string[] = [];
  try {
    for (;;) {
      await delay(everyMs, undefined, { signal });
      const transfers = await client.transfers(signal);
      for (const { ref, offset, total } of transfers)
        report({ id: ref, status: "Downloading", current: offset, total });
      const now = transfers.map(({ ref }) => ref);
      for (const id of before.filter((ref) => !now.includes(ref))) {
        report({ id, status: "Download complete", current: 0, total: 0 });
      }
      before = now;
    }
  } catch {
    // The pull has ended, or is not told of.
  }
}
