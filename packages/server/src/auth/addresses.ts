import { isIP } from "node:net";
import { AppError } from "@handrail/protocol/errors";

/** Which names requests may use for this server. */
export type Addresses = {
  /** @throws AppError `bad_origin` unless `Host` names this server */
  checkHost(host: string | undefined): void;
  /** @throws AppError `bad_origin` unless `Origin` is the page that this server itself serves */
  checkOrigin(origin: string | undefined, host: string | undefined): void;
};

export type AddressConfig = {
  readonly host: string;
  readonly publicUrl: string | undefined;
  readonly allowedHosts: readonly string[];
};

/**
 * Refuses requests that a foreign page makes in the user's browser. A page whose name was pointed at this address (DNS
 * rebinding) carries its own name in `Host`; an IP address in `Host` cannot be rebound, so it passes where the server
 * listens beyond loopback.
 */
export function addresses(config: AddressConfig): Addresses {
  const publicUrl = config.publicUrl === undefined ? undefined : new URL(config.publicUrl);
  const names = new Set(["localhost", "127.0.0.1", "[::1]", config.host.toLowerCase(), ...config.allowedHosts]);
  if (publicUrl !== undefined) names.add(publicUrl.hostname);
  const beyondLoopback = !["127.0.0.1", "::1", "localhost"].includes(config.host);
  return {
    checkHost(host) {
      const name = hostName(host);
      if (name !== undefined && (names.has(name) || (beyondLoopback && isAddress(name)))) return;
      throw new AppError(
        "bad_origin",
        `Handrail does not answer to the name ${JSON.stringify((host ?? "").slice(0, 100))}. Add it to allowed-hosts if it is yours.`,
      );
    },
    checkOrigin(origin, host) {
      if (origin !== undefined && (origin === publicUrl?.origin || hostOf(origin) === host?.toLowerCase())) return;
      throw new AppError(
        "bad_origin",
        "The request comes from another site's page. Open Handrail itself and try again.",
      );
    },
  };
}

function hostName(host: string | undefined): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec((host ?? "").toLowerCase());
  return match?.[1];
}

const isAddress = (name: string) => isIP(name.replace(/^\[|\]$/g, "")) !== 0;

function hostOf(origin: string): string | undefined {
  if (!URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  return url.protocol === "http:" || url.protocol === "https:" ? url.host : undefined;
}
