// npm run check: format, lint, types, layers, unit tests. Stops where one fails; lint, types and layers run together.
import { run, runTogether } from "./lib/run.mjs";

await run("oxfmt", ["--check", "."]);
await runTogether([
  ["oxlint", ["--type-aware", "--deny-warnings"]],
  ["node", ["scripts/types.ts"]],
  ["node", ["scripts/check-layers.ts"]],
]);
await run("vitest", ["run", "--project", "unit"]);
