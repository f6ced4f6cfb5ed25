/**
 * The routes of Handrail's own API that a gateway answers by itself, as `GATEWAY_ROUTES` has them: what that needs is loaded with
 * the first request.
 */
export const API_TABLE = {
  gatewayKeys: "GET /api/gateway/keys",
  createGatewayKey: "POST /api/gateway/keys",
  importGatewayKeys: "POST /api/gateway/keys/import",
  changeGatewayKey: "PATCH /api/gateway/keys/:id",
  rotateGatewayKey: "POST /api/gateway/keys/:id/rotate",
  revokeGatewayKey: "DELETE /api/gateway/keys/:id",
  gatewayOwners: "GET /api/gateway/owners",
  saveGatewayOwner: "PUT /api/gateway/owners/:kind/:id",
  gatewaySpend: "GET /api/gateway/spend",
  gatewaySpendCsv: "GET /api/gateway/spend.csv",
  gatewayCalls: "GET /api/gateway/calls",
} as const;

export type ApiRouteName = keyof typeof API_TABLE;
