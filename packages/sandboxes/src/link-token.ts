import { randomBytes } from "node:crypto";

/** The variable that tells sandboxd what it and the server know, and no program in the sandbox. */
const VARIABLE = "HANDRAIL_LINK_TOKEN";

/** A new token for one start of a sandbox. */
export function newLinkToken(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Compiling hot code once more takes sandboxd longer than what it gains: it works in bursts of a second, in which the
 * compiler's threads are in the way. And no threads are started late: where a program has used up the sandbox's processes the
 * runtime would crash for want of one.
 */
const RUNTIME = {
  BUN_JSC_useFTLJIT: "0",
  BUN_JSC_useConcurrentJIT: "0",
  BUN_JSC_useConcurrentGC: "0",
  BUN_JSC_numberOfGCMarkers: "1",
};

/** What is meant for sandboxd alone: its token and its runtime's settings. It hands them on to nobody. */
export function sandboxdEnvironment(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? RUNTIME : { ...RUNTIME, [VARIABLE]: token };
}

/** Whether an environment (`NAME=value` each) is one that a program was given this token in. */
export function carriesToken(environment: readonly string[], token: string): boolean {
  return environment.includes(`${VARIABLE}=${token}`);
}
