import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// A server waits more than it computes: the space for young objects stays at its first size instead of growing to
// 16 MiB twice over, which keeps an idle server some 15 MB smaller (`npm run bench -- server`).
setFlagsFromString("--semi-space-growth-factor=1");

// Compiled code is kept between starts, in a directory of this user's own: it is run without a further look. Set
// before anything else is loaded.
enableCompileCache(join(homedir(), ".cache/handrail/compiled"));
const { runServer } = await import("./run-server.ts");
const { firstSignal } = await import("@handrail/gateway/program/first-signal");
process.exit(await runServer(process.argv.slice(2), firstSignal));
