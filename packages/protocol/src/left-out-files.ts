import * as z from "zod/mini";
import { LeftOut } from "./snapshots.ts";

/** A larger file is not compared with the workspace's start, and is in no patch. */
export const MAX_COMPARED_BYTES: number = 100 * 1024 ** 2;

/** A patch over this is refused: nobody reads it, and a sandbox could make one without end. */
export const MAX_PATCH_BYTES: number = 256 * 1024 ** 2;

/** What is not among the changes: the first hundred of `count` files. */
export const LeftOutFiles = z.object({
  files: z.array(LeftOut),
  count: z.int().check(z.nonnegative()),
});
export type LeftOutFiles = z.infer<typeof LeftOutFiles>;

/** A sentence that names the first of them, and says why. */
export function leftOutText({ files, count }: LeftOutFiles): string {
  const named = files.slice(0, MAX_NAMED).map(({ path, bytes }) => `${path} (${mebibytes(bytes)} MiB)`);
  const more = count > named.length ? ` and ${count - named.length} more` : "";
  return `Left out, since files over ${mebibytes(MAX_COMPARED_BYTES)} MiB are not compared: ${named.join(", ")}${more}.`;
}

const MAX_NAMED = 5;

const mebibytes = (bytes: number) => Math.floor(bytes / 1024 ** 2).toLocaleString("en-US");
