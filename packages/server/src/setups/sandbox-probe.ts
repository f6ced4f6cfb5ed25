import type { Sandbox } from "@handrail/core/ports/sandbox";

const TIMEOUT_MS = 20_000;
const CAP_BYTES = 16_000;
const MAX_ELSEWHERE = 5;

/**
 * What a set-up's result can depend on beside the repository: the machine, the system and what is installed in it. Not
 * `/opt`, in which backends mount what is theirs.
 */
const SYSTEM = `uname -sm; pwd; cat /etc/os-release 2>/dev/null
stat -c '%n %s %Y' /usr/bin /usr/lib /usr/sbin /usr/local/bin /usr/local/lib /usr/local/sbin 2>/dev/null`;

const MARKER = '"$HOME/.handrail-setup-begins"';
const BEGIN = `: > ${MARKER}`;
/** Files beside the workspace that are newer than the beginning; caches do without. */
const ELSEWHERE = `[ -f ${MARKER} ] || exit 1
find "$HOME" -path "$HOME/.npm" -prune -o -path "$HOME/.cache" -prune -o -newer ${MARKER} -type f -print 2>/dev/null | grep -v '/\\.[a-z]*sh_history$' | head -n ${MAX_ELSEWHERE}
[ -w /usr ] && find /usr /opt /etc -xdev -newer ${MARKER} -type f -print 2>/dev/null | head -n ${MAX_ELSEWHERE}
rm -f ${MARKER}`;

/** What the sandbox says of its system. */
export const systemOf = (sandbox: Sandbox, signal: AbortSignal): Promise<string> => shell(sandbox, SYSTEM, signal);

/** From here on what is written beside the workspace is noticed. */
export async function beginWatch(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  await shell(sandbox, BEGIN, signal);
}

/** Some of what was written beside the workspace since `beginWatch`. */
export async function writtenElsewhere(sandbox: Sandbox, signal: AbortSignal): Promise<readonly string[]> {
  const text = await shell(sandbox, ELSEWHERE, signal);
  return text.split("\n").filter((line) => line !== "");
}

async function shell(sandbox: Sandbox, script: string, signal: AbortSignal): Promise<string> {
  const args = { argv: ["sh", "-c", script], timeoutMs: TIMEOUT_MS, capBytes: CAP_BYTES };
  return (await sandbox.call("process.run", args, { signal })).stdout;
}
