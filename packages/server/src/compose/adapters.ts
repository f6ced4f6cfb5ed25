import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { LogStore } from "@handrail/core/ports/log-store";
import { demoRepositoryDirectory } from "@handrail/scripted-model/demo";
import type { NetworkRule, WorkspaceSource } from "@handrail/protocol/sources";
import type { Logger } from "pino";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { refusedRequests } from "../conversations/refused-requests.ts";
import type { BackendLoaders } from "./backends.ts";

/** Where the demo's repository is. */
export const demoDirectory: string = demoRepositoryDirectory;

type Origin = { readonly conversationId: string; readonly network: NetworkRule };
type Egress = (origin: Origin, stream: Duplex) => void;

const SANDBOXD_DIRECTORY = join(import.meta.dirname, "../../../sandboxd/dist");

/** How each backend of this server is made, each when it is first needed. */
export function backendLoaders(config: Config, store: LogStore, log: Logger): BackendLoaders {
  const { home, sandbox } = config;
  const { cpus, memoryBytes, processes, image, dockerHost } = sandbox;
  const installation = createHash("sha256").update(home).digest("hex").slice(0, 12);
  const egress = lazyEgress(store, log);
  const common = { installation, sandboxdDirectory: SANDBOXD_DIRECTORY, limits: { cpus, memoryBytes, processes } };
  const local = async () => ({ ...common, directory: join(home, "sandboxes"), egress: await egress() });
  return {
    async docker() {
      const { dockerBackend } = await import("@handrail/sandboxes/docker/docker-backend");
      return dockerBackend({ ...common, egress: await egress(), host: dockerHost, defaultImage: image });
    },
    async process() {
      const { processBackend } = await import("@handrail/sandboxes/process/process-backend");
      return processBackend(await local());
    },
    ...(sandbox.backend === "none" && {
      async none() {
        const { noneBackend } = await import("@handrail/sandboxes/none/none-backend");
        return noneBackend({ ...(await local()), directory: join(home, "unsandboxed") });
      },
    }),
  };
}

/** The way of sandboxes to the network: one broker, made when the first backend is. */
function lazyEgress(store: LogStore, log: Logger): () => Promise<Egress> {
  let made: Promise<Egress> | undefined;
  const make = async (): Promise<Egress> => {
    const { createBroker } = await import("@handrail/broker/create-broker");
    const refused = refusedRequests(store, systemClock);
    const broker = createBroker({
      onRequest(record) {
        log.debug({ ...record }, "network request of a sandbox");
        const { reason } = record;
        if (reason === undefined) return;
        refused.note({ ...record, reason }).catch((error: unknown) => log.warn({ err: error }, "refusal not noted"));
      },
    });
    return (origin, stream) => {
      store.summary(origin.conversationId).then(
        ({ source }) => broker.handle({ ...origin, extraHosts: hostsOf(source, origin.network) }, stream),
        () => stream.destroy(),
      );
    };
  };
  return () => (made ??= make());
}

/** The host of the conversation's own repository belongs to the preset for git. */
function hostsOf(source: WorkspaceSource, network: NetworkRule): readonly string[] {
  if (source.type !== "git" || network.type !== "allow" || !network.presets.includes("git")) return [];
  const host = URL.canParse(source.url) ? new URL(source.url).hostname : /^(?:[^@/]+@)?([^:/]+):/.exec(source.url)?.[1];
  return host === undefined || host === "" ? [] : [host];
}
