import type { Duplex } from "node:stream";
import type { Sandbox } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import { DISK_FULL_EXIT } from "@handrail/protocol/sandboxd/exits";
import type { Egress } from "../egress.ts";
import { egressUnder } from "../profiles.ts";
import { openLinkSoon } from "../open-link.ts";
import { linkTable } from "../link-table.ts";
import { sandboxdEnvironment } from "../link-token.ts";
import { INSIDE } from "../sandbox-environment.ts";
import { SOCKET_INSIDE } from "./container-spec.ts";
import type { DockerClient } from "./docker-client.ts";
import { DockerError } from "./docker-error.ts";
import { LABEL, profileIn } from "../labels/made-names.ts";
import type { ContainerState, DaemonInfo } from "./docker-shapes.ts";

const CONNECTING = {
  argv: [`${INSIDE.programs}/sandboxd`, "connect", "--socket", SOCKET_INSIDE],
  environment: sandboxdEnvironment(""),
};
/**
 * As another user than the sandbox's, who may neither look into it nor end it. It has no capabilities either. Root of a
 * rootless daemon is the user of the daemon itself and of all keepers, who has more processes than a sandbox may.
 */
const userOf = ({ rootless }: DaemonInfo) => (rootless ? "65534:65534" : "0:0");

const GIVE_UP_MS = 10_000;

/** The connections of this server to the sandboxes of one daemon, one for each conversation. */
export type DockerLinks = ReturnType<typeof dockerLinks>;

type LinkParts = { readonly client: DockerClient; readonly facts: () => Promise<DaemonInfo> };

/** A sandbox may outlive its daemon, so a broken connection is tried again for `waitMs` at least. */
export function dockerLinks({ client, facts }: LinkParts, egress: Egress, waitMs = 0) {
  const table = linkTable();
  return {
    /**
     * The sandbox in a running container; the one that is open already, if it is. `first` is a stream to its sandboxd
     * where there is one already. Throws as `OpenLink` does.
     */
    open: (
      conversationId: string,
      container: ContainerState,
      signal: AbortSignal,
      first?: Duplex,
    ): Promise<Sandbox> => {
      let ready = first;
      const sandboxId = container.labels[LABEL.sandbox] ?? container.id;
      return table.open(conversationId, sandboxId, () =>
        openLinkSoon(
          {
            sandboxId,
            backend: "docker",
            token: container.labels[LABEL.link] ?? "",
            connect: async (signal) => {
              const stream = ready ?? (await dial({ client, facts }, container.id, signal));
              ready = undefined;
              return stream;
            },
            onEgress: egressUnder(profileIn(container.labels), (stream) => egress({ conversationId }, stream)),
            isAlive: () => isRunning(client, container.id),
            giveUpMs: Math.max(GIVE_UP_MS, waitMs),
          },
          signal,
        ),
      );
    },
    release: (conversationId: string) => table.release(conversationId),
    close: () => table.close(),
  };
}

async function dial({ client, facts }: LinkParts, id: string, signal: AbortSignal): Promise<Duplex> {
  const program = { ...CONNECTING, user: userOf(await facts()) };
  try {
    return await client.exec(id, program, () => undefined);
  } catch (thrown) {
    if (!(thrown instanceof DockerError)) throw thrown;
    const state = await client.findContainer(id, signal);
    if (state?.running === true) throw thrown;
    throw new AppError("sandbox_gone", whyGone(state), { container: id.slice(0, 12) }, { cause: thrown });
  }
}

/** How a container ended, for people; undefined: it is not there any more. */
export function whyGone(state: ContainerState | undefined): string {
  if (state === undefined) return "The sandbox's container was removed.";
  if (state.outOfMemory) return "The sandbox ran out of memory and was ended.";
  if (state.exitCode === 137) return "The sandbox was killed.";
  if (state.exitCode === DISK_FULL_EXIT)
    return "The sandbox was ended: the disk that its workspace is on is nearly full.";
  return `The sandbox ended with exit code ${state.exitCode}.`;
}

/** A daemon that does not answer says nothing of the container: it may be there again in a moment. */
async function isRunning(client: DockerClient, id: string): Promise<boolean> {
  const state = await client.findContainer(id).catch(() => "unknown" as const);
  return state === "unknown" || state?.running === true;
}
