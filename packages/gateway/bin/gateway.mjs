// Plain JavaScript: where everything else is compiled already, the part of Node that strips types is not even loaded.
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Compiled code is kept between starts in a directory of this user's own.
enableCompileCache(join(homedir(), ".cache/handrail/compiled"));
const { runGateway } = await import("../src/run-gateway.ts");
process.exit(await runGateway(process.argv.slice(2)));
