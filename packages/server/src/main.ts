import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Compiled code is kept between starts, in a directory of this user's own: it is run without a further look. Set
// before anything else is loaded.
enableCompileCache(join(homedir(), ".cache/handrail/compiled"));
const { runServer } = await import("./run-server.ts");
process.exit(await runServer(process.argv.slice(2)));
