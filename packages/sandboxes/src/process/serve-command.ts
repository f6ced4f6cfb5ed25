import { EGRESS_PORT, IDLE_EXIT, INSIDE, KEEP_FREE } from "../sandbox-environment.ts";
import { LINK_INSIDE } from "./sandbox-mounts.ts";

export type Serving = {
  readonly sandboxId: string;
  /** The name of the socket that it dials. */
  readonly socket: string;
  /** Whether there is a way to the broker. */
  readonly network: boolean;
  /** Whether the workspace is a disk of its own. */
  readonly bounded: boolean;
};

/** Says in the arguments of sandboxd which sandbox it is, for those who look at the processes of the machine. */
export const SANDBOX_ARGUMENT = "--sandbox";

/** sandboxd as it is run in a sandbox with mounts of its own. */
export function serveCommand({ sandboxId, socket, network, bounded }: Serving): readonly string[] {
  const places = ["--workspace", INSIDE.workspace, "--state", INSIDE.state];
  const egress = network ? ["--egress-port", String(EGRESS_PORT), "--transparent"] : [];
  const dial = ["--dial", `unix:${LINK_INSIDE}/${socket}`];
  return [
    `${INSIDE.programs}/sandboxd`,
    "serve",
    SANDBOX_ARGUMENT,
    sandboxId,
    ...IDLE_EXIT,
    ...(bounded ? [] : KEEP_FREE),
    ...places,
    ...dial,
    ...egress,
  ];
}
