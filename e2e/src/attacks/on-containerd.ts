import type { Attack } from "./attack.ts";

/**
 * The attacks on sandboxd that run on containerd too, one of each kind of thing that holds: the rest is held by the
 * same program, started in the same way. Each takes a sandbox of its own, which is what takes the time.
 */
export const SANDBOXD_ON_CONTAINERD: readonly string[] = [
  "sandboxd.kill",
  "sandboxd.signals",
  "sandboxd.limits",
  "sandboxd.impostor",
  "sandboxd.socket",
  "sandboxd.token",
];

/** Those of them that run on a backend. */
export function sandboxdAttacksOn<Kind extends Attack>(name: string, all: readonly Kind[]): readonly Kind[] {
  return name === "containerd" ? all.filter(({ id }) => SANDBOXD_ON_CONTAINERD.includes(id)) : all;
}
