import type { Metrics } from "../../metrics.ts";
import type { LazyGateway } from "./lazy-gateway.ts";

/** The server's numbers and, once the gateway has been needed, the gateway's: asking does not open it. */
export function allMetrics(own: Pick<Metrics, "text">, gateway: Pick<LazyGateway, "opened">): Metrics["text"] {
  return async () => {
    const [{ contentType, text }, more = ""] = await Promise.all([own.text(), gateway.opened()?.metrics()]);
    return { contentType, text: text + more };
  };
}
