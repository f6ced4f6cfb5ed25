/** A package's rank, and what it may import. A package imports only packages of lower rank, and of those only these. */
export type Layer = { readonly rank: number; readonly may: readonly string[] };

const ADAPTER = ["protocol", "core"];

/** The table of the design, as data. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  protocol: { rank: 0, may: [] },
  core: { rank: 1, may: ["protocol"] },
  client: { rank: 1, may: ["protocol"] },
  channels: { rank: 1, may: ["protocol"] },
  models: { rank: 2, may: ADAPTER },
  logs: { rank: 2, may: ADAPTER },
  sandboxes: { rank: 2, may: [...ADAPTER, "channels"] },
  checkpoints: { rank: 2, may: ADAPTER },
  broker: { rank: 2, may: ADAPTER },
  "scripted-model": { rank: 2, may: ["protocol"] },
  gateway: { rank: 3, may: ["protocol", "models", "logs", "scripted-model"] },
  sandboxd: { rank: 3, may: ["protocol", "channels"] },
  server: {
    rank: 4,
    may: ["protocol", "core", "models", "logs", "sandboxes", "broker", "checkpoints", "scripted-model", "gateway"],
  },
  cli: { rank: 3, may: ["protocol", "client"] },
  web: { rank: 3, may: ["protocol", "client"] },
};

/** Folders of one package that do not know each other (`apart`), and those with what they share, which know none of them. */
export const FOLDERS: Readonly<
  Record<string, { readonly apart: readonly string[]; readonly shared: readonly string[] }>
> = {
  "packages/sandboxes/src": {
    apart: ["containerd", "docker", "none", "process"],
    shared: ["disk", "labels", "link", "local", "seccomp"],
  },
  "packages/sandboxd/src/snapshot": { apart: ["restore"], shared: ["native", "objects", "take"] },
};

/** In `server`, only these files may import an adapter: they compose the program. */
export const COMPOSITION = ["packages/server/src/main.ts", "packages/server/src/compose"];

export const ADAPTERS = ["models", "logs", "sandboxes", "broker", "checkpoints", "scripted-model", "gateway"];
