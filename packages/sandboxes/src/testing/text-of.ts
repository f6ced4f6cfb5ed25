import { readFileSync } from "node:fs";

/** What a file of the kernel says of this machine; empty where it is gone, since what is others' goes at any time. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
