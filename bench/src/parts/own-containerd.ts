import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startContainerdWithImage } from "@handrail/sandboxes/testing/containerd-root";
import { runProgram } from "./run-program.ts";

const CRUN = "/usr/bin/crun";
const BRIDGE = "handrail-bench0";
/** For measuring networks, and nothing else. Source: RFC 2544, appendix C.2.2 */
const SUBNET = "198.18.64.0/18";

/** A containerd of the bench's own. Sandboxes can be given to its handler `crun`, where crun is installed. */
export type OwnContainerd = {
  readonly address: string;
  /** The handler whose pods have a network, as pods of containerd have by its own documentation. */
  readonly networked: string;
  dispose(): Promise<void>;
};

/** Its pods have no network, unless they are of the handler for that. `home` is a directory that stays as long. */
export async function startOwnContainerd(home: string): Promise<OwnContainerd> {
  const cni = join(home, "cni");
  await mkdir(cni);
  await writeFile(join(cni, "10-bench.conflist"), JSON.stringify(network(join(home, "addresses"))));
  const hasCrun = await access(CRUN).then(
    () => true,
    () => false,
  );
  const handlers = [handler("runc"), handler("networked", `  cni_conf_dir = "${cni}"\n`)];
  if (hasCrun) handlers.push(handler("crun") + options("crun", `  BinaryName = "${CRUN}"\n`));
  const daemon = await startContainerdWithImage({ more: handlers.join("") });
  const dispose = async () => {
    await daemon.dispose();
    await runProgram("ip", ["link", "delete", BRIDGE]);
  };
  return { address: daemon.address, networked: "networked", dispose };
}

/** Source: containerd v1.6, script/setup/install-cni */
function network(dataDir: string): object {
  const routes = [{ dst: "0.0.0.0/0" }];
  const ipam = { type: "host-local", ranges: [[{ subnet: SUBNET }]], routes, dataDir };
  const bridge = { type: "bridge", bridge: BRIDGE, isGateway: true, ipMasq: true, promiscMode: true, ipam };
  const portmap = { type: "portmap", capabilities: { portMappings: true } };
  return { cniVersion: "0.4.0", name: "handrail-bench", plugins: [bridge, portmap] };
}

const table = (name: string) => `plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}`;
const handler = (name: string, more = "") => `[${table(name)}]\n  runtime_type = "io.containerd.runc.v2"\n${more}`;
const options = (name: string, text: string) => `[${table(name)}.options]\n${text}`;
