import { Problem } from "@handrail/protocol/route";
import { z } from "zod";

type Json = { [key: string]: unknown };

const METHODS = ["get", "post", "put", "patch", "delete"];

/**
 * The OpenAPI document with what its generator leaves out: that every operation may answer problem details, and what
 * a reference to a recursive type means that is in no list of types (any JSON value).
 */
export function describeFailures(document: object): object {
  const { $schema: _, ...schema } = z.toJSONSchema(Problem, { io: "output" });
  const failure = { description: "Problem details", content: { "application/problem+json": { schema } } };
  const copy = withoutDangling(document) as { readonly paths?: Record<string, Record<string, Json>> };
  for (const path of Object.values(copy.paths ?? {})) {
    for (const method of METHODS) {
      const operation = path[method];
      if (operation !== undefined) operation["responses"] = { ...(operation["responses"] as Json), default: failure };
    }
  }
  return copy;
}

function withoutDangling(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDangling);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.some(([key, target]) => key === "$ref" && /^#\/components\/schemas\/schema\d+$/.test(String(target)))) {
    return {};
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutDangling(inner)]));
}
