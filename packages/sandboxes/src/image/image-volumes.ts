import { posix } from "node:path";
import { z } from "zod";

const Config = z.object({ Volumes: z.record(z.string(), z.unknown()).nullish() });

/**
 * The paths that an image calls volumes, from its configuration (https://github.com/opencontainers/image-spec/blob/main/config.md,
 * "Volumes"). Runtimes give each a directory of their machine, which nothing bounds and a root file system that cannot be
 * written leaves open.
 */
export function volumesIn(config: unknown): readonly string[] {
  const { data } = Config.safeParse(config);
  const paths = Object.keys(data?.Volumes ?? {}).map((path) => posix.normalize(`/${path}/`).slice(0, -1));
  return [...new Set(paths)].filter((path) => path !== "");
}
