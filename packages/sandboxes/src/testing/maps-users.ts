import { criClient } from "../containerd/cri-client.ts";
import { config } from "./config.ts";
import { runtimeUnderTest } from "./containerd-root.ts";

/** Whether the runtime in `CONTAINERD_ADDRESS` has user namespaces, and with them the profile dev. Debian's has none. */
export async function mapsUsers(): Promise<boolean> {
  if (config.containerdAddress === undefined) return false;
  const { address } = await runtimeUnderTest();
  const client = criClient(address);
  try {
    const { handlers } = await client.status(AbortSignal.timeout(20_000));
    return handlers.some(({ name, features }) => name === "" && features?.userNamespaces === true);
  } finally {
    client.close();
  }
}
