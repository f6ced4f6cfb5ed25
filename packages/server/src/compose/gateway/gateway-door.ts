import { isGatewayPath } from "@handrail/gateway/http/gateway-paths";
import type { OtherPaths } from "../../http/app.ts";
import type { LazyGateway } from "./lazy-gateway.ts";

/** The gateway's paths on the server's own address, which is the one that clients of LiteLLM are given. */
export function gatewayDoor(gateway: Pick<LazyGateway, "answer">): OtherPaths {
  return { owns: isGatewayPath, answer: (request, response) => gateway.answer(request, response) };
}
