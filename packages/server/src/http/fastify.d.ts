import type { Identity } from "../auth/identify.ts";

declare module "fastify" {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- declaration merging needs an interface
  interface FastifyRequest {
    identity: Identity;
  }
}
