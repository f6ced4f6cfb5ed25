import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { rulesOf } from "@handrail/broker/allow-list";
import { createBroker } from "@handrail/broker/create-broker";
import { testHttps } from "@handrail/broker/testing/tls-fixture";
import { sandboxAuthority } from "@handrail/broker/tls/sandbox-authority";
import type { NetworkRule } from "@handrail/protocol/sources";
import type { Egress } from "@handrail/sandboxes/egress";
import type { NetworkAttack } from "./cases/network-attacks.ts";

/** A broker among hosts that help the attacker. */
export type HostileNetwork = {
  readonly egress: Egress;
  /** What a conversation may reach from now on. */
  allow(conversationId: string, rule: NetworkAttack["rule"]): void;
  /** For the scripts: `PORT`, `TLS` and `OPENED` of allowed hosts, `HIDDEN` of one that is not, `ADDRESSES` of this machine. */
  readonly variables: Readonly<Record<string, unknown>>;
  end(): void;
};

/** Names and where they lead. All others lead to loopback, as those of allowed hosts do. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "metadata.example": ["169.254.169.254"],
  "mixed.example": ["93.184.215.14", "169.254.169.254"],
  "mixed.suffix.example": ["127.0.0.1", "169.254.169.254"],
  "private.example": ["10.1.2.3"],
};

export async function hostileNetwork(): Promise<HostileNetwork> {
  const port = await listening(helpful());
  const hidden = await listening(helpful());
  const tls = await listening(createServer((socket) => socket.on("error", () => undefined).end("REACHED")));
  const opened = await testHttps("opened.example", (_request, response) => void response.end("answered"));
  const servers = [port, hidden, tls, opened];
  const hosts = [
    `allowed.example:${port.port}`,
    `allowed.example:${tls.port}`,
    `opened.example:${opened.port}`,
    `.suffix.example:${port.port}`,
  ];
  const rules: Readonly<Record<NetworkAttack["rule"], NetworkRule>> = {
    open: { type: "allow", presets: ["everything"], hosts: [] },
    listed: { type: "allow", presets: [], hosts },
  };
  const allowed = new Map<string, NetworkAttack["rule"]>();
  const ruleOf = (id: string) => allowed.get(id) ?? "open";
  let rebinds = 0;
  const resolve = async (name: string) => {
    if (name.startsWith("rebind.") && ++rebinds % 2 === 0) return ["169.254.169.254"];
    return NAMES[name] ?? ["127.0.0.1"];
  };
  const common = {
    lookUp: async (id: string) => ({ rules: rulesOf(rules[ruleOf(id)]), bytesUsed: 0 }),
    onRequest: () => undefined,
    openWith: openingOf("opened.example", opened),
    resolve,
  };
  // Only the broker of the listed hosts may dial loopback, where those hosts are.
  const brokers = { open: createBroker(common), listed: createBroker({ ...common, allowLoopback: true }) };
  return {
    egress: (origin, stream) => brokers[ruleOf(origin.conversationId)].handle(origin, stream),
    allow: (conversationId, rule) => allowed.set(conversationId, rule),
    variables: { PORT: port.port, TLS: tls.port, OPENED: opened.port, HIDDEN: hidden.port, ADDRESSES: ownAddresses() },
    end: () => {
      Object.values(brokers).forEach((broker) => broker.close());
      servers.forEach(({ server }) => server.close());
    },
  };
}

/** TLS to this host is opened, since it has a secret. */
function openingOf(host: string, { port, roots }: Awaited<ReturnType<typeof testHttps>>) {
  const use = { type: "header" as const, hosts: [{ host, port }] };
  const secrets = [{ name: "KEY", value: "value-of-the-key", placeholder: undefined, use }];
  const authority = sandboxAuthority();
  return async () => ({ authority, secrets, roots });
}

/** A host that answers everybody, and says for which hosts it was asked. */
const helpful = () =>
  createHttpServer((request, response) => {
    if (request.url === "/redirect") response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" });
    if (request.url === "/close") response.setHeader("connection", "close");
    response.end(`REACHED ${request.url} for ${(request.headersDistinct["host"] ?? []).join(" and ")}`);
  });

async function listening(server: Server) {
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

const ownAddresses = () =>
  Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.includes("%"));
