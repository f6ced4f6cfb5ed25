import { SANDBOXD_PROTOCOL } from "@handrail/protocol/sandboxd/frames";
import { readConfig, USAGE, type Config } from "./config.ts";
import { joinSocket } from "./connect.ts";
import { VERSION } from "./version.ts";

process.exit(await run(readConfig(process.argv.slice(2))));

async function run(config: Config): Promise<number> {
  switch (config.mode) {
    case "serve": {
      // Loaded only here: the bridge of `connect` starts in a third of the time without it.
      const { serve } = await import("./serve.ts");
      await serve(config);
      return 0;
    }
    case "connect":
      return joinSocket(config.socket);
    case "disks": {
      const { serveDisks } = await import("./disks/serve-disks.ts");
      await serveDisks(config.volumes);
      return 0;
    }
    case "quotas": {
      const [{ askQuotas }, { openQuotaCalls }] = await Promise.all([
        import("./quotas/ask-quotas.ts"),
        import("./quotas/quota-calls.ts"),
      ]);
      process.stdout.write(`${JSON.stringify(askQuotas(config.directory, config.users, await openQuotaCalls()))}\n`);
      return 0;
    }
    case "bound": {
      const { serveBounded } = await import("./bounded/serve-bounded.ts");
      return serveBounded(config.bounds).then(() => 0, failed);
    }
    case "keep": {
      const { keepFiles } = await import("./keeper/keep-files.ts");
      return keepFiles(config.kept);
    }
    case "version":
      process.stdout.write(`sandboxd ${VERSION} protocol ${SANDBOXD_PROTOCOL}\n`);
      return 0;
    case "usage":
      process.stderr.write(`${config.message}\n${USAGE}`);
      return 2;
  }
}

function failed(thrown: unknown): number {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  return 1;
}
