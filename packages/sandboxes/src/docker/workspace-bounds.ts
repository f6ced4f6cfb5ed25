import type { DaemonDisks } from "./daemon-disks.ts";
import type { DockerDisks } from "./docker-disks.ts";
import type { UserQuotas } from "./user-quotas.ts";

/**
 * What bounds new workspaces: a disk for each, files that are served through FUSE, or the quota of each one's user; or nothing,
 * and why where that helps. `dev`: whether those of `dev`, whom quotas do not bound, are served so.
 */
export type WorkspaceBounds =
  | { readonly type: "disk" }
  | { readonly type: "fuse" }
  | { readonly type: "quota"; readonly bytes: number; readonly files: number; readonly dev: boolean }
  | { readonly type: "none"; readonly why: string };

type Looked = {
  readonly disks: Pick<DockerDisks, "work">;
  readonly daemonDisks: Pick<DaemonDisks, "problem" | "areKept">;
  readonly quotas: () => Promise<UserQuotas>;
};

/** Finds it out, which takes containers where this machine's own mounts do not do. @throws AppError, DockerError */
export async function workspaceBounds({ disks, daemonDisks, quotas }: Looked): Promise<WorkspaceBounds> {
  if (await disks.work()) return { type: "disk" };
  const problem = await daemonDisks.problem();
  if (problem === undefined && !(await daemonDisks.areKept())) return { type: "disk" };
  const found = await quotas();
  if (found.bounded) return { type: "quota", bytes: found.bytes, files: found.files, dev: problem === undefined };
  if (problem === undefined) return { type: "fuse" };
  return { type: "none", why: [problem, found.why].filter(Boolean).join(" ") };
}

/**
 * Whether a new workspace is on a disk of the daemon's machine. A quota, where it holds, is quicker than what is served.
 * `root`: whether its programs are root, whom no quota bounds. @throws AppError, DockerError
 */
export async function takesDisk({ daemonDisks, quotas }: Omit<Looked, "disks">, root: boolean): Promise<boolean> {
  if ((await daemonDisks.problem()) !== undefined) return false;
  return root || !(await daemonDisks.areKept()) || !(await quotas()).bounded;
}

/** What is bounded, in a few words, and what is not. Programs of `dev` are root, who may store things as any user. */
export function inWords(bounds: WorkspaceBounds): { readonly held: string; readonly missing: readonly string[] } {
  if (bounds.type === "disk") return { held: "workspaces bounded", missing: [] };
  if (bounds.type === "fuse") return { held: "workspaces bounded by FUSE", missing: [] };
  if (bounds.type === "none") return { held: "", missing: ["a workspace's size"] };
  const held = `workspaces bounded by quotas (${Math.floor(bounds.bytes / 1024 ** 2)} MiB, ${bounds.files} files)`;
  return bounds.dev
    ? { held: `${held}, in dev by FUSE`, missing: [] }
    : { held, missing: ["a workspace's size in dev"] };
}
