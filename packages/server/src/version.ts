import { readFileSync } from "node:fs";
import { z } from "zod";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as unknown;

/** This server's version. */
export const VERSION: string = z.object({ version: z.string() }).parse(manifest).version;
