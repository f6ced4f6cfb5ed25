import { z } from "zod";
import {
  DeploymentInfo,
  DeploymentInput,
  GatewayCall,
  GatewayOwner,
  KeyChange,
  KeyImport,
  KeyImported,
  KeyInfo,
  KeyInput,
  KeyLimits,
  OwnerInfo,
  SpendFilter,
  SpendGroup,
  SpendRow,
} from "./gateway.ts";
import { Empty, type Route } from "./route.ts";
import { ModelTest } from "./settings.ts";

const OneId = z.strictObject({ id: z.string().min(1).max(128) });
const NewKey = z.object({ key: z.string(), info: KeyInfo });

const MODELS = {
  gatewayModels: {
    method: "GET",
    path: "/api/gateway/models",
    access: "session",
    summary: "Places where models can be had, and how calls there have gone",
    response: z.object({ models: z.array(DeploymentInfo) }),
    status: 200,
  },
  addGatewayModel: {
    method: "POST",
    path: "/api/gateway/models",
    access: "session",
    summary: "Add a place where a model can be had",
    body: DeploymentInput,
    response: DeploymentInfo,
    status: 201,
  },
  changeGatewayModel: {
    method: "PUT",
    path: "/api/gateway/models/:id",
    access: "session",
    summary: "Replace what was set; an absent key keeps the stored one",
    params: OneId,
    body: DeploymentInput,
    response: DeploymentInfo,
    status: 200,
  },
  removeGatewayModel: {
    method: "DELETE",
    path: "/api/gateway/models/:id",
    access: "session",
    summary: "Forget a place and its key",
    params: OneId,
    response: Empty,
    status: 200,
  },
  testGatewayModel: {
    method: "POST",
    path: "/api/gateway/models/:id/test",
    access: "session",
    summary: "Make one real call at this place and say what came of it",
    params: OneId,
    response: ModelTest,
    status: 200,
  },
} as const satisfies Record<string, Route>;

const KEYS = {
  gatewayKeys: {
    method: "GET",
    path: "/api/gateway/keys",
    access: "session",
    summary: "Virtual keys, but for those that runs have for themselves",
    response: z.object({ keys: z.array(KeyInfo) }),
    status: 200,
  },
  createGatewayKey: {
    method: "POST",
    path: "/api/gateway/keys",
    access: "session",
    summary: "Make a key; this answer alone holds it",
    body: KeyInput,
    response: NewKey,
    status: 201,
  },
  changeGatewayKey: {
    method: "PATCH",
    path: "/api/gateway/keys/:id",
    access: "session",
    summary: "Change what a key may do; it holds at once",
    params: OneId,
    body: KeyChange,
    response: KeyInfo,
    status: 200,
  },
  rotateGatewayKey: {
    method: "POST",
    path: "/api/gateway/keys/:id/rotate",
    access: "session",
    summary: "A new key in place of this one, with its rights and spend",
    params: OneId,
    body: z.strictObject({
      keepOldForMs: z
        .number()
        .int()
        .nonnegative()
        .max(7 * 86_400_000)
        .optional(),
    }),
    response: NewKey,
    status: 201,
  },
  importGatewayKeys: {
    method: "POST",
    path: "/api/gateway/keys/import",
    access: "session",
    summary: "Take over the keys of a LiteLLM, with users, teams and limits; what is there already stays as it is",
    body: KeyImport,
    response: KeyImported,
    status: 200,
  },
  revokeGatewayKey: {
    method: "DELETE",
    path: "/api/gateway/keys/:id",
    access: "session",
    summary: "End a key at once",
    params: OneId,
    response: KeyInfo,
    status: 200,
  },
  gatewayOwners: {
    method: "GET",
    path: "/api/gateway/owners",
    access: "session",
    summary: "Users and teams with limits of their own",
    response: z.object({ owners: z.array(OwnerInfo) }),
    status: 200,
  },
  saveGatewayOwner: {
    method: "PUT",
    path: "/api/gateway/owners/:kind/:id",
    access: "session",
    summary: "Set what a user or a team may use, over all keys",
    params: GatewayOwner,
    body: z.strictObject({ name: z.string().trim().min(1).max(128), limits: KeyLimits }),
    response: OwnerInfo,
    status: 200,
  },
} as const satisfies Record<string, Route>;

const SPEND = {
  gatewaySpend: {
    method: "GET",
    path: "/api/gateway/spend",
    access: "session",
    summary: "Sums of what calls used and cost",
    query: SpendFilter.extend({ by: SpendGroup }),
    response: z.object({ rows: z.array(SpendRow) }),
    status: 200,
  },
  gatewaySpendCsv: {
    method: "GET",
    path: "/api/gateway/spend.csv",
    access: "session",
    summary: "The same as comma-separated values",
    query: SpendFilter.extend({ by: SpendGroup }),
    status: 200,
  },
  gatewayCalls: {
    method: "GET",
    path: "/api/gateway/calls",
    access: "session",
    summary: "Single calls, the newest first",
    query: SpendFilter.extend({
      limit: z.coerce.number().int().min(1).max(500).default(100),
      before: z.string().min(1).max(128).optional(),
    }),
    response: z.object({ calls: z.array(GatewayCall) }),
    status: 200,
  },
} as const satisfies Record<string, Route>;

/** Models, keys, limits and spend of the model gateway. */
export const GATEWAY_ROUTES = { ...MODELS, ...KEYS, ...SPEND } as const;
