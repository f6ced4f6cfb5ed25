import type { Server } from "node:http";
import { catalogOf } from "../catalog/catalog.ts";
import type { GatewayConfig } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import type { Catalog } from "../ports/deployment.ts";
import { priceList } from "../prices/price-list.ts";
import { checkMasterKey } from "./check-master-key.ts";
import { gatewayOver } from "./gateway-over.ts";
import type { Log } from "./json-log.ts";
import { addressOf, listen } from "./listen.ts";
import { isLoopback } from "./loopback.ts";
import { type MasterKey, masterKeyIn, withMasterKey } from "./master-key.ts";
import { openStores, type OpenStores } from "./open-stores.ts";
import { type Places, readPlaces } from "./places.ts";

/** A gateway that listens on a port of its own. */
export type RunningGateway = {
  readonly url: string;
  readonly masterKey: MasterKey;
  /** Answers what is under way for at most that long, and writes the books. */
  close(graceMs: number): Promise<void>;
};

/** @throws AppError `config_invalid`, `port_taken`, `state_locked`, and what opening the books throws */
export async function startGateway(config: GatewayConfig, log: Log): Promise<RunningGateway> {
  const places = await readPlaces(config);
  for (const warning of places.warnings) log.warn(warning);
  const chosen = config.masterKey ?? places.general.masterKey;
  const exposed = !isLoopback(config.host);
  const weak = checkMasterKey({ key: chosen, exposed, weakAllowed: config.weakMasterKey });
  if (weak) log.warn(`${weak.detail} ${weak.remedy}`);
  const masterKey = masterKeyIn(config.home, chosen);
  const stores = await openStores(config, places, log);
  try {
    const books = withMasterKey(stores.books, masterKey.key);
    const serving = {
      catalog: catalogIn(places),
      routing: () => places.routing,
      prices: priceList(),
      log,
      alone: true,
    };
    const { gateway } = gatewayOver(serving, { ...stores, books });
    const server = await listen(gateway, config.host, config.port);
    const close = (graceMs: number) => ended({ server, gateway, stores }, graceMs);
    return { url: addressOf(server), masterKey, close };
  } catch (thrown) {
    await stores.close();
    throw thrown;
  }
}

function catalogIn({ deployments, rules }: Places): Catalog {
  return catalogOf(
    () => deployments,
    () => rules,
  );
}

type Parts = { readonly server: Server; readonly gateway: Gateway; readonly stores: OpenStores };

async function ended({ server, gateway, stores }: Parts, graceMs: number): Promise<void> {
  server.close();
  server.closeIdleConnections();
  await gateway.close(graceMs);
  server.closeAllConnections();
  await stores.close();
}
