import { readFileSync } from "node:fs";
import path from "node:path";
import { type Client, createClient } from "@handrail/client/create-client";
import { AppError, type ErrorCode } from "@handrail/protocol/errors";
import type { Command } from "commander";
import type { Context } from "./context.ts";
import { UsageError } from "./exit-codes.ts";
import { askServer } from "./reach-server.ts";

/** Whom a command asks about keys and spend: the server, or a gateway that runs alone. */
export type GatewayOptions = { readonly gateway?: string; readonly gatewayKeyFile?: string };

/** Where models are reached, without a path, and what answers about its keys. */
export type ReachedGateway = { readonly client: Client; readonly url: string };

/** Gives a command its options for a gateway that runs alone. */
export function withGatewayOptions(command: Command): Command {
  return command
    .option("--gateway <url>", "ask a gateway that runs alone, not the server")
    .option("--gateway-key-file <file>", "a file with its master key, or an admin's key")
    .addHelpText("after", GATEWAY_HELP);
}

const GATEWAY_HELP = `
A gateway that runs alone: HANDRAIL_GATEWAY_URL is its address where --gateway is absent. Its key is in --gateway-key-file,
HANDRAIL_GATEWAY_KEY or HANDRAIL_MASTER_KEY; for one of this machine, else in gateway-master-key of the state directory.
`;

/**
 * Runs `use` with the gateway that the command line or the environment names, or else the server's own.
 * @throws UsageError without a key; AppError `server_unreachable`, `key_invalid`, `key_expired`, `forbidden`, `not_found`
 */
export async function askGateway<Result>(
  context: Context,
  options: GatewayOptions,
  use: (gateway: ReachedGateway) => Promise<Result>,
): Promise<Result> {
  const address = options.gateway ?? context.gateway?.url;
  if (address === undefined) return askServer(context, use);
  const url = originOf(address);
  const token = keyFor(context, options, url);
  const { signal } = context.interrupts;
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  interrupted.catch(() => {});
  signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  const used = use({ client: createClient({ baseUrl: url, token, timeoutMs: TIMEOUT_MS }), url });
  return Promise.race([used, interrupted]).catch((thrown: unknown) => {
    throw explained(thrown, url);
  });
}

const TIMEOUT_MS = 60_000;

/** People copy the address that programs use, which ends in `/v1`. */
function originOf(address: string): string {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${address} is no address of a gateway. Give one such as http://127.0.0.1:4000.`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/\/v1$/, "");
}

function keyFor({ gateway, home, cwd }: Context, { gatewayKeyFile }: GatewayOptions, url: string): string {
  if (gatewayKeyFile !== undefined) return keyIn(path.resolve(cwd, gatewayKeyFile));
  if (gateway?.key !== undefined) return gateway.key;
  const made = path.join(home, "gateway-master-key");
  // The key of this machine's gateway is not told to another's.
  const own = isLoopback(new URL(url).hostname) ? textOf(made) : undefined;
  if (own !== undefined) return own;
  throw new UsageError("Say which key to use: set HANDRAIL_GATEWAY_KEY, or give --gateway-key-file FILE.");
}

const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || host.startsWith("127.");

function keyIn(file: string): string {
  const text = textOf(file);
  if (text === undefined) throw new UsageError(`There is no key in ${file}.`);
  return text;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

const SENTENCES: Partial<Record<ErrorCode, (url: string) => string>> = {
  server_unreachable: (url) => `No gateway answers at ${url}. Is it running, and is the address right?`,
  key_invalid: (url) =>
    `The gateway at ${url} does not know this key, or it was revoked. Use its master key or an admin's.`,
  forbidden: (url) => `This key may not manage the gateway at ${url}. Use its master key or an admin's.`,
};

/** What went wrong, for somebody who knows the gateway by its address. */
function explained(thrown: unknown, url: string): unknown {
  if (!(thrown instanceof AppError)) return thrown;
  const sentence = SENTENCES[thrown.code]?.(url);
  if (sentence !== undefined) return new AppError(thrown.code, sentence, thrown.details, { cause: thrown });
  if (thrown.code !== "internal" || thrown.details["status"] !== 404) return thrown;
  const text = `What answers at ${url} is no gateway of Handrail. Check the address.`;
  return new AppError("not_found", text, {}, { cause: thrown });
}
