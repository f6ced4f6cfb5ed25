import { accessSync, constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Debian's gVisor. */
export const RUNSC = "/usr/bin/runsc";

/** Whether Debian's gVisor is installed. It has no shim of its own for containerd. */
export function hasGvisor(): boolean {
  try {
    accessSync(RUNSC, constants.X_OK);
    return true;
  } catch {
    process.stdout.write("gVisor is not tested: that takes runsc.\n");
    return false;
  }
}

/**
 * Stands between containerd's shim for runc and runsc, and gives it what gVisor's own shim would know. A container that
 * is not its pod's first has no process on the host, so one is made that waits for its end; and what has ended is told in
 * runc's words.
 */
const BETWEEN = `#!/bin/sh
runsc() { ${RUNSC} --platform=ptrace --network=none --host-uds=open "$@"; }
for word; do
  case "$before" in
    --root) root=$word ;;
    --bundle) bundle=$word ;;
    --pid-file) pids=$word ;;
  esac
  case "$word" in create | kill) asked=$word ;; esac
  before=$word
done
runsc "$@" || { code=$?; [ "$asked" = kill ] && echo container not running >&2; exit $code; }
[ "$asked" = create ] && grep -q '"io.kubernetes.cri.container-type":"container"' "$bundle/config.json" || exit 0
(
  exec </dev/null >/dev/null 2>&1
  await() { said=$(runsc --root "$root" wait "$word"); }
  until await; do
    case "$(runsc --root "$root" state "$word" || echo stopped)" in *stopped*) await || exit 137 ;; esac
    sleep 0.05
  done
  exit "$(echo "\${said##*:}" | tr -dc 0-9)"
) &
printf %s $! > "$pids"
`;

/** Tables of containerd's configuration: its own runc, the handler `gvisor`, and `same`, which is runc again. */
export async function handlersWithGvisor(directory: string): Promise<string> {
  const program = join(directory, "runsc");
  await writeFile(program, BETWEEN, { mode: 0o755 });
  return ["runc", "same"].map((name) => handler(name)).join("") + handler("gvisor", program);
}

function handler(name: string, program?: string): string {
  const table = `plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}`;
  const options = program === undefined ? "" : `[${table}.options]\n  BinaryName = "${program}"\n`;
  return `[${table}]\n  runtime_type = "io.containerd.runc.v2"\n${options}`;
}
