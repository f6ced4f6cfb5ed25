// node scripts/test-as-user.mjs [FILE…]: what npm test runs as a plain user, or these test files. It takes root.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureFuse } from "./lib/fuse-device.mjs";
import { runAsPlainUser } from "./lib/plain-user.mjs";

const WITHIN_MS = 30 * 60_000;

const files = process.argv.slice(2);
const reports = mkdtempSync(path.join(tmpdir(), "handrail-test-"));
// Also where a signal ends it.
process.once("exit", () => rmSync(reports, { recursive: true, force: true, maxRetries: 10 }));
ensureFuse();
const results = await runAsPlainUser({ reports, withinMs: WITHIN_MS, ...(files.length > 0 && { files }) });
for (const failure of results.flatMap(({ failures }) => failures)) process.stdout.write(`FAILED ${failure}\n`);
process.exitCode = results.some(({ failed, passed }) => failed > 0 || passed === 0) ? 1 : 0;
