import type { Books } from "../ports/books.ts";
import type { GatewayRoute } from "../ports/route.ts";
import { API_TABLE, type ApiRouteName } from "./api-table.ts";

/** A LiteLLM's keys come in one request. */
const IMPORT_BYTES = 32 * 1024 * 1024;

/** Handrail's own routes for keys, limits and spend, for whoever has an admin's key: what `handrail keys --gateway` asks. */
export function apiRoutes(books: Books, now: () => number): readonly GatewayRoute[] {
  return Object.entries(API_TABLE).map(([name, line]) => {
    const [method, path] = line.split(" ") as [GatewayRoute["method"], string];
    return {
      method,
      path,
      access: "admin",
      problems: true,
      ...(name === "importGatewayKeys" && { maxBodyBytes: IMPORT_BYTES }),
      async handle(call) {
        const { answerApi } = await import("./answer-api.ts");
        return answerApi({ books, now }, name as ApiRouteName, call);
      },
    };
  });
}
