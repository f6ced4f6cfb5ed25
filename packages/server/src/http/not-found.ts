import { AppError } from "@handrail/protocol/errors";
import type { Route } from "@handrail/protocol/route";
import { ROUTES } from "@handrail/protocol/routes";

const PATTERNS = Object.values<Route>(ROUTES).map((route) => ({
  method: route.method,
  path: new RegExp(`^${route.path.replaceAll(/:[a-z]+/g, "[^/]+")}$`),
}));

/** The methods that the table knows for this path; empty when it knows no such path. */
export function methodsFor(path: string): readonly string[] {
  return PATTERNS.filter((route) => route.path.test(path)).map((route) => route.method);
}

/** `method_not_allowed` for a known path, else `not_found`. */
export function notFound(methods: readonly string[]): AppError {
  if (methods.length === 0) return new AppError("not_found", "There is nothing here.");
  return new AppError("method_not_allowed", `Use ${methods.join(" or ")} here.`);
}
