import type { BooksAdmin } from "@handrail/protocol/books-admin";
import { AppError } from "@handrail/protocol/errors";
import { GATEWAY_ROUTES } from "@handrail/protocol/gateway-routes";
import type { Route } from "@handrail/protocol/route";
import { spendCsv } from "@handrail/protocol/spend-csv";
import type { z } from "zod";
import { invalidField } from "../http/invalid-field.ts";
import type { Books } from "../ports/books.ts";
import type { RouteAnswer, RouteCall } from "../ports/route.ts";
import { adminKeys } from "./admin-keys.ts";
import { adminOwners } from "./admin-owners.ts";
import { adminSpend } from "./admin-spend.ts";
import type { ApiRouteName } from "./api-table.ts";

type Api = { readonly books: Books; readonly now: () => number };

/** @throws AppError `bad_request`, `key_not_found`, `config_invalid`, `books_unavailable` */
export async function answerApi({ books, now }: Api, name: ApiRouteName, call: RouteCall): Promise<RouteAnswer> {
  const admin = {
    keys: adminKeys({ books, now }),
    owners: adminOwners(books),
    // Conversations are the server's; here they have no titles.
    spend: adminSpend({ books, titleOf: async () => undefined }),
  };
  const answer = await HANDLERS[name](admin, call);
  const body = typeof answer === "string" ? { body: answer, headers: CSV } : { body: answer };
  return { status: GATEWAY_ROUTES[name].status, ...body };
}

const CSV = {
  "content-type": "text/csv; charset=utf-8",
  "content-disposition": 'attachment; filename="spend.csv"',
};

type Handler = (admin: BooksAdmin, call: RouteCall) => Promise<object | string>;

const HANDLERS: Readonly<Record<ApiRouteName, Handler>> = {
  gatewayKeys: async ({ keys }) => ({ keys: await keys.list() }),
  createGatewayKey: ({ keys }, call) => keys.create(userOf(call), bodyOf("createGatewayKey", call)),
  importGatewayKeys: ({ keys }, call) => keys.import(bodyOf("importGatewayKeys", call)),
  changeGatewayKey: ({ keys }, call) =>
    keys.change(paramsOf("changeGatewayKey", call).id, bodyOf("changeGatewayKey", call)),
  rotateGatewayKey: ({ keys }, call) =>
    keys.rotate(paramsOf("rotateGatewayKey", call).id, bodyOf("rotateGatewayKey", call).keepOldForMs ?? 0),
  revokeGatewayKey: ({ keys }, call) => keys.revoke(paramsOf("revokeGatewayKey", call).id),
  gatewayOwners: async ({ owners }) => ({ owners: await owners.list() }),
  saveGatewayOwner: ({ owners }, call) =>
    owners.save(paramsOf("saveGatewayOwner", call), bodyOf("saveGatewayOwner", call)),
  async gatewaySpend({ spend }, call) {
    const { by, ...filter } = queryOf("gatewaySpend", call);
    return { rows: await spend.sums(by, filter) };
  },
  async gatewaySpendCsv({ spend }, call) {
    const { by, ...filter } = queryOf("gatewaySpendCsv", call);
    return spendCsv(by, await spend.sums(by, filter));
  },
  async gatewayCalls({ spend }, call) {
    const { limit, before, ...filter } = queryOf("gatewayCalls", call);
    return { calls: await spend.calls(filter, before === undefined ? { limit } : { limit, before }) };
  },
};

/** Whose keys are those that name no owner. */
const userOf = ({ key }: RouteCall): string => (key?.owner.kind === "user" ? key.owner.id : "admin");

type Routes = typeof GATEWAY_ROUTES;
type Part<Name extends keyof Routes, What extends "params" | "query" | "body"> = Routes[Name] extends {
  [Key in What]: infer Schema extends z.ZodType;
}
  ? z.output<Schema>
  : never;

const bodyOf = <Name extends keyof Routes>(name: Name, { body }: RouteCall) =>
  parsed(GATEWAY_ROUTES[name], "body", body ?? {}) as Part<Name, "body">;
const paramsOf = <Name extends keyof Routes>(name: Name, { params }: RouteCall) =>
  parsed(GATEWAY_ROUTES[name], "params", params) as Part<Name, "params">;
const queryOf = <Name extends keyof Routes>(name: Name, { url }: RouteCall) =>
  parsed(GATEWAY_ROUTES[name], "query", Object.fromEntries(url.searchParams)) as Part<Name, "query">;

function parsed(route: Route, part: "params" | "query" | "body", value: unknown): unknown {
  const result = route[part]?.safeParse(value);
  if (result?.success) return result.data;
  throw result === undefined ? new AppError("bad_request", "There is nothing to give.") : invalidField(result.error);
}
