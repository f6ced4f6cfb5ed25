import { AppError } from "@handrail/protocol/errors";
import type { DeploymentState } from "../../metrics/gauges.ts";
import type { Books } from "../../ports/books.ts";
import type { KeyRecord } from "../../ports/keys.ts";
import type { Catalog, Deployment } from "../../ports/deployment.ts";
import type { PriceList } from "../../ports/price-list.ts";

/** How a deployment does. */
export type DeploymentStanding = {
  readonly deployment: Deployment;
  readonly state: DeploymentState;
  readonly lastError?: string;
};

/** What LiteLLM's management routes work on. */
export type AdminContext = {
  readonly books: Books;
  readonly catalog: Catalog;
  readonly prices: PriceList;
  readonly standings: () => readonly DeploymentStanding[];
  /** Undefined when answers are not cached. */
  readonly cache?: { readonly kind: "local" | "redis"; readonly trouble: () => string | undefined };
  /** Unix milliseconds. */
  readonly now: () => number;
};

export type AdminRequest = {
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined when there was none. */
  readonly body: unknown;
  /** Whose key asks. */
  readonly caller: KeyRecord;
};

export type AdminAnswer = { readonly status: number; readonly body: object };

/** Answers one route. */
export type AdminHandler = (context: AdminContext, request: AdminRequest) => Promise<object | AdminAnswer>;

/** Refuses an ordinary key that asks for what is not its own. @throws AppError `forbidden` */
export function mustBeOwn(own: boolean, { caller }: AdminRequest): void {
  if (!caller.admin && !own) throw new AppError("forbidden", "This key may see only its own information.");
}

/** @throws AppError `bad_request` when there are more than that */
export function numberIn(
  query: URLSearchParams,
  name: string,
  range: { readonly or: number; readonly max: number },
): number {
  const text = query.get(name);
  if (text === null || text === "") return range.or;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= range.max) return value;
  throw new AppError("bad_request", `\`${name}\` must be a whole number from 1 to ${range.max}.`, { field: name });
}
