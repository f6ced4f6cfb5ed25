import type { GatewayAdmin } from "../gateway/gateway-admin.ts";
import { spendCsv } from "@handrail/protocol/spend-csv";
import type { Handlers } from "../http/handlers.ts";

type ModelNames =
  | "gatewayModels"
  | "addGatewayModel"
  | "changeGatewayModel"
  | "removeGatewayModel"
  | "testGatewayModel";
type KeyNames =
  | "gatewayKeys"
  | "createGatewayKey"
  | "changeGatewayKey"
  | "rotateGatewayKey"
  | "importGatewayKeys"
  | "revokeGatewayKey"
  | "gatewayOwners"
  | "saveGatewayOwner";
type SpendNames = "gatewaySpend" | "gatewaySpendCsv" | "gatewayCalls";

/** Models, keys, limits and spend. `open` gives the gateway, started if need be. */
export function gatewayHandlers(open: () => Promise<GatewayAdmin>): Pick<Handlers, ModelNames | KeyNames | SpendNames> {
  return { ...modelHandlers(open), ...keyHandlers(open), ...spendHandlers(open) };
}

function modelHandlers(open: () => Promise<GatewayAdmin>): Pick<Handlers, ModelNames> {
  return {
    gatewayModels: async () => ({ models: [...(await (await open()).models.list())] }),
    addGatewayModel: async ({ body }) => (await open()).models.add(body),
    changeGatewayModel: async ({ params, body }) => (await open()).models.change(params.id, body),
    async removeGatewayModel({ params }) {
      await (await open()).models.remove(params.id);
      return {};
    },
    testGatewayModel: async ({ params, signal }) => (await open()).models.test(params.id, signal),
  };
}

function keyHandlers(open: () => Promise<GatewayAdmin>): Pick<Handlers, KeyNames> {
  return {
    gatewayKeys: async () => ({ keys: [...(await (await open()).keys.list())] }),
    createGatewayKey: async ({ identity, body }) => (await open()).keys.create(identity.userId, body),
    changeGatewayKey: async ({ params, body }) => (await open()).keys.change(params.id, body),
    rotateGatewayKey: async ({ params, body }) => (await open()).keys.rotate(params.id, body.keepOldForMs ?? 0),
    async importGatewayKeys({ body }) {
      const { left, ...counts } = await (await open()).keys.import(body);
      return { ...counts, left: [...left] };
    },
    revokeGatewayKey: async ({ params }) => (await open()).keys.revoke(params.id),
    gatewayOwners: async () => ({ owners: [...(await (await open()).owners.list())] }),
    saveGatewayOwner: async ({ params, body }) => (await open()).owners.save(params, body),
  };
}

function spendHandlers(open: () => Promise<GatewayAdmin>): Pick<Handlers, SpendNames> {
  return {
    async gatewaySpend({ query: { by, ...filter } }) {
      return { rows: [...(await (await open()).spend.sums(by, filter))] };
    },
    async gatewaySpendCsv({ query: { by, ...filter } }) {
      const rows = await (await open()).spend.sums(by, filter);
      return { contentType: "text/csv; charset=utf-8", content: Buffer.from(spendCsv(by, rows)), name: "spend.csv" };
    },
    async gatewayCalls({ query: { limit, before, ...filter } }) {
      const page = before === undefined ? { limit } : { limit, before };
      return { calls: [...(await (await open()).spend.calls(filter, page))] };
    },
  };
}
