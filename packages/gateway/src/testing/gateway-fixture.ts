import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Script, Turn } from "@handrail/scripted-model/script";
import { type ScriptedModel, startScriptedModel } from "@handrail/scripted-model/scripted-model";
import { catalogOf } from "../catalog/catalog.ts";
import { createGateway, type Gateway, type GatewayParts } from "../gateway.ts";
import type { NewKey } from "../ports/keys.ts";
import { type Deployment, DEFAULT_ROUTING } from "../ports/deployment.ts";
import type { PriceList } from "../ports/price-list.ts";
import { type MemoryBooks, memoryBooks } from "./memory-books.ts";

/** A gateway that listens, with one key, and scripted models behind it. */
export type GatewayFixture = {
  readonly url: string;
  readonly key: string;
  readonly books: MemoryBooks;
  readonly gateway: Gateway;
  /** Posts a request with the key. */
  post(path: string, body: object | string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
};

/** One dollar for a million tokens of any kind. */
export const flatPrices: PriceList = {
  cost: (_, usage) => Object.values(usage).reduce((sum, tokens) => sum + tokens, 0) / 1e6,
  contextTokens: () => undefined,
};

export type FixtureOptions = Partial<Omit<GatewayParts, "books" | "catalog">> & {
  readonly deployments: readonly Partial<Deployment>[];
  readonly rules?: Parameters<typeof catalogOf>[1];
  readonly key?: Partial<NewKey>;
};

export async function startGateway({
  deployments,
  rules,
  key: wanted,
  ...parts
}: FixtureOptions): Promise<GatewayFixture> {
  const books = memoryBooks();
  const { key } = await books.keys.create({ name: "test", owner: { kind: "user", id: "ann" }, limits: {}, ...wanted });
  const places = deployments.map((own, index): Deployment => ({
    id: `d${index + 1}`,
    name: "m",
    provider: "openai_compatible",
    model: "up",
    ...own,
  }));
  const routing = () => ({ ...DEFAULT_ROUTING, backoffMs: 1 });
  const gateway = createGateway({
    books,
    catalog: catalogOf(() => places, rules),
    prices: flatPrices,
    routing,
    ...parts,
  });
  const server = createServer((request, response) => {
    if (!gateway.handle(request, response)) response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    key,
    books,
    gateway,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
      }),
    async close() {
      await gateway.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A model that plays these turns. */
export function scripted(...turns: Turn[]): Promise<ScriptedModel> {
  const script: Script = { name: "up", turns };
  return startScriptedModel({ script });
}
