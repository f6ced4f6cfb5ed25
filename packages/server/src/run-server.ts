import { toAppError } from "@handrail/protocol/errors";
import { startServer } from "./compose/start-server.ts";
import { readConfig } from "./config.ts";
import { helpText } from "./config/help.ts";

const UNUSABLE = new Set(["config_invalid", "port_taken", "state_locked"]);
const CLOSE_MS = 4500;

/**
 * Runs the server until what `until` gives settles; it is called once the server listens. Gives the exit code; failures are
 * sentences on the second output.
 */
export async function runServer(argv: readonly string[], until: () => Promise<void>): Promise<number> {
  try {
    return await serve(argv, until);
  } catch (thrown) {
    const error = toAppError(thrown);
    const detail = error.code === "internal" && thrown instanceof Error ? `\n${thrown.stack ?? ""}` : "";
    process.stderr.write(`handrail: ${error.message}${detail}\n`);
    return UNUSABLE.has(error.code) ? 2 : 1;
  }
}

async function serve(argv: readonly string[], until: () => Promise<void>): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(helpText());
    return 0;
  }
  const server = await startServer(readConfig(argv));
  // Also for a rejection that nobody handles. What the program knows may be wrong now; the next start resumes the runs.
  process.on("uncaughtException", (thrown) => {
    server.logFatal(thrown);
    process.exit(1);
  });
  // Whoever reads that it is ready may end it at once.
  const ended = until();
  process.stdout.write(`Handrail is ready: ${server.signInUrl}\n`);
  await ended;
  const late = setTimeout(() => process.exit(0), CLOSE_MS);
  await server.close();
  clearTimeout(late);
  return 0;
}
