import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import { describeFailures } from "./describe-failures.ts";

/** Serves the OpenAPI 3.1 document of the routes that are registered after this. */
export async function useOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Handrail",
        version,
        description: "Failures answer problem details (RFC 9457) with a `code` from one table.",
      },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
  });
  let text: string | undefined;
  app.get("/api/openapi.json", { schema: { hide: true } }, async (_request, reply) => {
    text ??= JSON.stringify(describeFailures(app.swagger()));
    return reply.header("content-type", "application/json").send(text);
  });
}
