import { homedir } from "node:os";
import path from "node:path";

/** What the environment says: the state directory, whether colours are unwanted (no-color.org), and a gateway that runs alone. */
export type Environment = {
  readonly home: string;
  readonly noColor: boolean;
  readonly gateway: { readonly url: string | undefined; readonly key: string | undefined };
};

/** As the gateway itself reads its master key, after one for this program alone. */
const GATEWAY_KEYS = ["HANDRAIL_GATEWAY_KEY", "HANDRAIL_MASTER_KEY", "LITELLM_MASTER_KEY"];

export function readEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const home = env["HANDRAIL_HOME"] || "~/.handrail";
  return {
    home: path.resolve(home.replace(/^~(?=\/|$)/, homedir())),
    gateway: {
      url: env["HANDRAIL_GATEWAY_URL"] || undefined,
      key: GATEWAY_KEYS.map((name) => env[name]).find((text) => text !== undefined && text !== ""),
    },
    noColor: (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb",
  };
}
