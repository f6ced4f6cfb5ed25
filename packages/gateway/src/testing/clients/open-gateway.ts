import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { openSqliteBooks } from "../../books/open-sqlite-books.ts";
import { type CatalogRules, catalogOf, NO_RULES } from "../../catalog/catalog.ts";
import { createGateway, type Gateway } from "../../gateway.ts";
import { adminRoutes } from "../../litellm/admin/gateway-routes.ts";
import { gatewayMetrics } from "../../metrics/gateway-metrics.ts";
import { observeMetrics } from "../../metrics/observe-metrics.ts";
import { readStandings } from "../../metrics/read-standings.ts";
import type { Books } from "../../ports/books.ts";
import { type Catalog, DEFAULT_ROUTING, type Deployment } from "../../ports/deployment.ts";
import { priceList } from "../../prices/price-list.ts";

/** A whole gateway on a port of this machine, with books in a directory of its own. */
export type OpenGateway = {
  /** Without `/v1`. */
  readonly url: string;
  /** An admin's. */
  readonly masterKey: string;
  readonly books: Books;
  readonly gateway: Gateway;
  close(): Promise<void>;
};

/** Starts it. Calls are tried once: what a provider says is what the client is told. */
export async function openGateway(
  deployments: readonly Deployment[],
  rules: CatalogRules = NO_RULES,
): Promise<OpenGateway> {
  const directory = await mkdtemp(path.join(tmpdir(), "handrail-gateway-"));
  const books = await openSqliteBooks({ file: path.join(directory, "gateway.db") });
  const masterKey = "sk-master-of-these-tests";
  await books.keys.create({ name: "master", owner: { kind: "user", id: "admin" }, limits: {}, admin: true }, masterKey);
  const catalog = catalogOf(
    () => deployments,
    () => rules,
  );
  const gateway = gatewayOver(books, catalog);
  const { url, close } = await listen(gateway);
  return {
    url,
    masterKey,
    books,
    gateway,
    async close() {
      await gateway.close();
      close();
      await books.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function gatewayOver(books: Books, catalog: Catalog): Gateway {
  const prices = priceList();
  const sources = { deployments: () => [], standings: () => readStandings(books), inFlight: () => 0 };
  const metrics = gatewayMetrics({ sources });
  return createGateway({
    books,
    catalog,
    prices,
    routing: () => ({ ...DEFAULT_ROUTING, retries: 0, allowedFailures: 1000 }),
    observer: observeMetrics(metrics, catalog),
    routes: adminRoutes({ books, catalog, prices, standings: () => [], now: Date.now }),
    metrics: async () => {
      const { contentType, text } = await metrics.text();
      return { contentType, body: text };
    },
  });
}

async function listen(gateway: Gateway) {
  const server = createServer((request, response) => {
    if (!gateway.handle(request, response)) response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
