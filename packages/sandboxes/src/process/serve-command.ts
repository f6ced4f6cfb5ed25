import { EGRESS_PORT, IDLE_EXIT, INSIDE } from "../sandbox-environment.ts";
import { LINK_INSIDE } from "./sandbox-mounts.ts";

/** sandboxd as it is run in a sandbox with mounts of its own. `socket` is the name of the socket that it dials; `network` says whether there is a way to the broker. */
export function serveCommand(socket: string, network: boolean): readonly string[] {
  const places = ["--workspace", INSIDE.workspace, "--state", INSIDE.state];
  const egress = network ? ["--egress-port", String(EGRESS_PORT)] : [];
  const dial = ["--dial", `unix:${LINK_INSIDE}/${socket}`];
  return [`${INSIDE.programs}/sandboxd`, "serve", ...IDLE_EXIT, ...places, ...dial, ...egress];
}
