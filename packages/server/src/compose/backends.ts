import type { SandboxBackend } from "@handrail/core/ports/sandbox";
import { AppError } from "@handrail/protocol/errors";
import type { BackendInfo } from "@handrail/protocol/settings";
import type { BackendName } from "@handrail/protocol/sources";
import type { Backends } from "../conversations/ports.ts";

export type BackendLoaders = Partial<Record<BackendName, () => Promise<SandboxBackend>>>;

const HEALTH_AGE_MS = 15_000;

/** Backends that are loaded at first use. `wanted` is the one that the configuration names, if it names one. */
export function lazyBackends(loaders: BackendLoaders, wanted: BackendName | undefined): Backends {
  const loaded = new Map<BackendName, Promise<SandboxBackend>>();
  const names = Object.keys(loaders) as BackendName[];
  let health: { readonly at: number; readonly infos: Promise<readonly BackendInfo[]> } | undefined;

  const get = (name: BackendName): Promise<SandboxBackend> => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const load = loaders[name];
    if (load === undefined) {
      return Promise.reject(
        new AppError("bad_request", `This server has no ${name} sandboxes. Choose another backend.`),
      );
    }
    const loading = load();
    loaded.set(name, loading);
    loading.catch(() => loaded.delete(name));
    return loading;
  };
  const look = async (name: BackendName): Promise<BackendInfo> => (await get(name)).health(AbortSignal.timeout(10_000));
  /** One look serves all who ask at about the same time, so it does not end when one of them leaves. */
  const fresh = () => (health !== undefined && performance.now() - health.at < HEALTH_AGE_MS ? health : undefined);
  const looks = () => {
    const known = fresh();
    if (known !== undefined) return known.infos;
    const infos = Promise.all(names.map((name) => look(name).catch((thrown: unknown) => broken(name, thrown))));
    health = { at: performance.now(), infos };
    return infos;
  };

  return {
    get,
    health: looks,
    async healthOf(name) {
      const known = (await fresh()?.infos)?.find((info) => info.name === name);
      return known ?? look(name);
    },
    async preferred() {
      if (wanted !== undefined) return wanted;
      const infos = await looks();
      const working = infos.find((info) => info.works && info.name !== "none");
      if (working !== undefined) return working.name;
      health = undefined;
      throw new AppError("backend_unavailable", noneWorks(infos));
    },
    all: () => names,
    async close() {
      const backends = await Promise.allSettled(loaded.values());
      const open = backends.filter((one) => one.status === "fulfilled").map((one) => one.value);
      await Promise.allSettled(open.map((backend) => backend.close()));
    },
  };
}

const broken = (name: BackendName, thrown: unknown): BackendInfo => ({
  name,
  works: false,
  detail: thrown instanceof Error ? thrown.message : "It could not be looked at.",
  profiles: [],
});

function noneWorks(infos: readonly BackendInfo[]): string {
  const remedies = infos.filter((info) => info.name !== "none").map((info) => info.remedy ?? info.detail);
  return `No kind of sandbox works on this machine. ${remedies.join(" Or: ")}`.trim();
}
