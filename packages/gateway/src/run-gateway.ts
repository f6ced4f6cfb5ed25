import { toAppError } from "@handrail/protocol/errors";
import { readGatewayConfig } from "./config.ts";
import { firstSignal } from "./program/first-signal.ts";
import { jsonLog } from "./program/json-log.ts";
import { helpText } from "./program/options.ts";
import { startGateway } from "./program/start-gateway.ts";

const UNUSABLE = new Set(["config_invalid", "port_taken", "state_locked"]);
/** Below the 30 s that Kubernetes waits. */
const GRACE_MS = 25_000;

/** Runs the gateway until a signal. Gives the exit code; failures are sentences on the second output. */
export async function runGateway(argv: readonly string[]): Promise<number> {
  try {
    return await serve(argv);
  } catch (thrown) {
    const error = toAppError(thrown);
    const detail = error.code === "internal" && thrown instanceof Error ? `\n${thrown.stack ?? ""}` : "";
    process.stderr.write(`handrail gateway: ${error.message}${detail}\n`);
    return UNUSABLE.has(error.code) ? 2 : 1;
  }
}

async function serve(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(helpText());
    return 0;
  }
  if (argv[0] === "import") {
    const { importKeys, reportText } = await import("./program/import-keys.ts");
    process.stdout.write(reportText(await importKeys(argv.slice(1))));
    return 0;
  }
  const config = readGatewayConfig(argv);
  const log = jsonLog(config.logLevel);
  const gateway = await startGateway(config, log);
  process.on("uncaughtException", (thrown) => {
    log.fatal({ err: thrown }, "the gateway stops");
    process.exit(1);
  });
  // Whoever reads that it is ready may end it at once.
  const ended = firstSignal();
  process.stdout.write(`Handrail's gateway is ready: ${gateway.url}\n`);
  const { file } = gateway.masterKey;
  if (file !== undefined) process.stdout.write(`Its master key is in ${file}\n`);
  await ended;
  await gateway.close(GRACE_MS);
  return 0;
}
