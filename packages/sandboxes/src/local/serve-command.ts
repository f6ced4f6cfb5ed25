import { EGRESS_PORT, IDLE_EXIT, INSIDE, keepFree } from "../sandbox-environment.ts";
import { LINK_INSIDE } from "./sandbox-mounts.ts";

export type Serving = {
  readonly sandboxId: string;
  /** The name of the socket that it dials. */
  readonly socket: string;
  /** Whether there is a way to the broker. */
  readonly network: boolean;
  /** Directories on file systems that others share, with nothing that bounds it. */
  readonly shared: readonly string[];
};

/** Says in the arguments of sandboxd which sandbox it is, for those who look at the processes of the machine. */
export const SANDBOX_ARGUMENT = "--sandbox";

/** sandboxd as it is run in a sandbox with mounts of its own. */
export function serveCommand({ sandboxId, socket, network, shared }: Serving): readonly string[] {
  const places = ["--workspace", INSIDE.workspace, "--state", INSIDE.state];
  const egress = network ? ["--egress-port", String(EGRESS_PORT), "--transparent"] : [];
  const dial = ["--dial", `unix:${LINK_INSIDE}/${socket}`];
  return [
    `${INSIDE.programs}/sandboxd`,
    "serve",
    SANDBOX_ARGUMENT,
    sandboxId,
    ...IDLE_EXIT,
    ...keepFree(shared),
    ...places,
    ...dial,
    ...egress,
  ];
}
