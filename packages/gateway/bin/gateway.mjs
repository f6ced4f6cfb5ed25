// Plain JavaScript: where everything else is compiled already, the part of Node that strips types is not even loaded.
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// As the server: the space for young objects stays at its first size, which keeps an idle program smaller, and compiled
// code is kept between starts in a directory of this user's own.
setFlagsFromString("--semi-space-growth-factor=1");
enableCompileCache(join(homedir(), ".cache/handrail/compiled"));
const { runGateway } = await import("../src/run-gateway.ts");
process.exit(await runGateway(process.argv.slice(2)));
