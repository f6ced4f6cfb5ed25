// npm run check: format, lint, types, layers, unit tests. Stops at the first that fails.
import { run } from "./lib/run.mjs";

await run("oxfmt", ["--check", "."]);
await run("oxlint", ["--type-aware", "--deny-warnings"]);
await run("node", ["scripts/types.ts"]);
await run("node", ["scripts/check-layers.ts"]);
await run("vitest", ["run", "--project", "unit"]);
