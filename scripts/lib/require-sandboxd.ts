import { requireSandboxdBuilt } from "../../packages/sandboxd/build.ts";

/** Vitest's global set-up of projects with sandboxes: they would wait in vain for one of another version. */
export function setup(): void {
  requireSandboxdBuilt();
}
