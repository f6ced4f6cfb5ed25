import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { FillWorkspace } from "@handrail/core/ports/workspace-seed";
import { tarStream } from "./tar-stream.ts";

/** Small enough that both sides work at the same time, large enough that calls cost little. */
const PART_BYTES = 512 * 1024;

/** Sends first files through the sandbox's own sandboxd. While one part is on its way, the next is read. */
export const fillWorkspace: FillWorkspace = async (sandbox, { directory }, signal) => {
  let waiting: Buffer[] = [];
  let bytes = 0;
  let offset = 0;
  let sent: Promise<void> = Promise.resolve();
  const send = async (last: boolean) => {
    const data = Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
    await sent;
    sent = sendPart(sandbox, { offset, data, last }, signal);
    sent.catch(() => undefined);
    offset += data.length;
  };
  for await (const chunk of tarStream({ directory, name: ".", owner: 0 }) as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes >= PART_BYTES) await send(false);
  }
  await send(true);
  await sent;
};

type Part = { readonly offset: number; readonly data: Uint8Array; readonly last: boolean };

async function sendPart(sandbox: Sandbox, part: Part, signal: AbortSignal): Promise<void> {
  await sandbox.call("workspace.fill", part, { signal });
}
