import { homedir } from "node:os";
import path from "node:path";

/** Where packages of others are kept between runs. */
export function cacheDirectory(): string {
  return path.join(process.env["HANDRAIL_CACHE"] ?? path.join(homedir(), ".cache/handrail"), "gateway");
}

/** What a program of others gets to see. Whatever it wants of the network but this machine fails at once. */
export function quietEnvironment(home: string): Readonly<Record<string, string>> {
  const nowhere = "http://127.0.0.1:9";
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    LANG: "C.UTF-8",
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    ALL_PROXY: nowhere,
    NO_PROXY: "127.0.0.1,localhost",
    LITELLM_LOCAL_MODEL_COST_MAP: "True",
    LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS: "True",
    LITELLM_TELEMETRY: "False",
  };
}
