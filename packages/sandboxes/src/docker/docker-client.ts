import type { Duplex, Readable } from "node:stream";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { addressOf } from "./docker-endpoint.ts";
import { DockerError, isConflict, isMissing } from "./docker-error.ts";
import type { DockerHttp, DockerRequest } from "./docker-http.ts";
import { dockerHttp } from "./docker-http.ts";
import { negotiatedVersion } from "./docker-version.ts";
import type { Listed } from "../labels/listed.ts";
import type { Progress } from "../pull-report.ts";
import type {
  ContainerSpec,
  ContainerState,
  DaemonInfo,
  ImageFacts,
  ListedImage,
  VolumeFacts,
} from "./docker-shapes.ts";
import {
  readContainer,
  readInfo,
  readImage,
  readImages,
  readList,
  readNamed,
  readProgress,
  readVolume,
} from "./docker-shapes.ts";
import { programStream } from "./stream-demux.ts";

/**
 * The Docker Engine API as far as sandboxes need it. Names and ids given to it are our own, never outside text, save
 * image references, which are percent-encoded here. What the daemon refuses is thrown as `DockerError`; a daemon that
 * does not answer, as AppError `backend_unavailable`.
 */
export type DockerClient = ReturnType<typeof dockerClient>;

/** A tar stream on its way into the directory `path` of a container. */
type ArchiveIn = { readonly path: string; readonly tar: Readable; readonly signal?: AbortSignal };

const INFO_MS = 5000;

export function dockerClient(endpoint: DockerEndpoint) {
  const http = versioned(dockerHttp(endpoint), addressOf(endpoint));
  return {
    endpoint,
    address: addressOf(endpoint),
    close: () => http.close(),
    ...daemonCalls(http),
    ...containerCalls(http),
    ...volumeCalls(http),
    ...imageCalls(http),
    ...execCalls(http),
  };
}

function daemonCalls(http: DockerHttp) {
  return {
    /** `timeoutMs`: how long it may take for an answer. */
    info: async (signal: AbortSignal, timeoutMs = INFO_MS): Promise<DaemonInfo> => {
      const ask = (path: string) => http.json({ method: "GET", path, signal, timeoutMs });
      const [info, version] = await Promise.all([ask("/info"), ask("/version")]);
      return readInfo(info, version);
    },
    /** Resolves when the daemon answers at all. */
    ping: async (signal: AbortSignal): Promise<void> => {
      (await http.open({ method: "GET", path: "/_ping", signal, timeoutMs: INFO_MS })).resume();
    },
  };
}

function containerCalls(http: DockerHttp) {
  return {
    /** The new container's id. */
    createContainer: async (name: string, spec: ContainerSpec): Promise<string> =>
      readNamed(await http.json({ method: "POST", path: "/containers/create", query: { name }, body: spec }), "Id"),
    startContainer: async (id: string): Promise<void> => {
      await http.json({ method: "POST", path: `/containers/${id}/start` });
    },
    /** By id or name; undefined when there is none. */
    findContainer: async (id: string, signal?: AbortSignal): Promise<ContainerState | undefined> => {
      const found = await unlessMissing(http, { method: "GET", path: `/containers/${id}/json`, ...having(signal) });
      return found === undefined ? undefined : readContainer(found);
    },
    /** Containers in any state with all of these labels. */
    listContainers: async (labels: readonly string[]): Promise<readonly Listed[]> => {
      const query = { all: "1", filters: JSON.stringify({ label: labels }) };
      return readList(await http.json({ method: "GET", path: "/containers/json", query }));
    },
    /** Sends SIGKILL to its first process. */
    killContainer: async (id: string): Promise<void> => {
      await http.json({ method: "POST", path: `/containers/${id}/kill` });
    },
    /**
     * Kills it if it runs. Volumes with names stay; those that its image asks for have none, and nobody would have a use for
     * them. No error when there is no such container. Waits for a removal that is under way.
     */
    removeContainer: async (id: string): Promise<void> => {
      try {
        await unlessMissing(http, { method: "DELETE", path: `/containers/${id}`, query: { force: "1", v: "1" } });
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        await unlessMissing(http, { method: "POST", path: `/containers/${id}/wait`, query: { condition: "removed" } });
      }
    },
    /** Unpacks a tar stream in a directory of a container, volumes included; owners are those of the archive. */
    putArchive: async (id: string, { path, tar, signal }: ArchiveIn): Promise<void> => {
      const asked = { method: "PUT", path: `/containers/${id}/archive`, query: { path } } as const;
      await http.json({ ...asked, body: tar, timeoutMs: 0, ...having(signal) });
    },
  };
}

function volumeCalls(http: DockerHttp) {
  return {
    /** Undefined when there is none of that name. */
    findVolume: async (name: string): Promise<VolumeFacts | undefined> => {
      const found = await unlessMissing(http, { method: "GET", path: `/volumes/${name}` });
      return found === undefined ? undefined : readVolume(found);
    },
    /** One that is there already is left as it is, and given. `options` are the driver's. */
    createVolume: async (
      name: string,
      labels: Readonly<Record<string, string>>,
      options: Readonly<Record<string, string>> = {},
    ): Promise<VolumeFacts> => {
      const body = { Name: name, Labels: labels, DriverOpts: options };
      return readVolume(await http.json({ method: "POST", path: "/volumes/create", body }));
    },
    listVolumes: async (labels: readonly string[]): Promise<readonly Listed[]> => {
      const found = await http.json({
        method: "GET",
        path: "/volumes",
        query: { filters: JSON.stringify({ label: labels }) },
      });
      return readList((found as { readonly Volumes?: unknown } | null)?.Volumes ?? []);
    },
    removeVolume: async (name: string): Promise<void> => {
      await http.json({ method: "DELETE", path: `/volumes/${name}`, query: { force: "1" } });
    },
  };
}

function imageCalls(http: DockerHttp) {
  return {
    /** What is known of an image that is present, or undefined. */
    findImage: async (reference: string): Promise<ImageFacts | undefined> => {
      const facts = await unlessMissing(http, { method: "GET", path: `/images/${encodeURIComponent(reference)}/json` });
      return facts === undefined ? undefined : readImage(facts);
    },
    /** Images with all of these labels. */
    listImages: async (labels: readonly string[]): Promise<readonly ListedImage[]> =>
      readImages(
        await http.json({ method: "GET", path: "/images/json", query: { filters: JSON.stringify({ label: labels }) } }),
      ),
    /** Takes the name from an image; with its last name it goes. @throws DockerError 409 where a container is made of it */
    removeImage: async (reference: string): Promise<void> => {
      await unlessMissing(http, { method: "DELETE", path: `/images/${encodeURIComponent(reference)}` });
    },
    /** Fetches an image; each line of the daemon's report goes to `onProgress`. Ends when the image is there. */
    pullImage: async (reference: string, onProgress: (line: Progress) => void, signal: AbortSignal): Promise<void> => {
      const query = { fromImage: reference, ...(hasTag(reference) ? {} : { tag: "latest" }) };
      const asked = { method: "POST", path: "/images/create", query, signal, timeoutMs: 300_000 } as const;
      await http.read(asked, (body) => readProgress(body, onProgress));
    },
    /** Makes an image of one layer out of a tar stream of a root file system. */
    importImage: async (tar: Readable, repository: string, tag: string, changes: readonly string[]): Promise<void> => {
      // The tag is part of the name: Podman does not look at a parameter of its own.
      const query = new URLSearchParams({ fromSrc: "-", repo: `${repository}:${tag}` });
      changes.forEach((change) => query.append("changes", change));
      const path = `/images/create?${query.toString()}`;
      const asked = { method: "POST", path, body: tar, timeoutMs: 0 } as const;
      await http.read(asked, (body) => readProgress(body, () => undefined));
    },
  };
}

/** What is run beside a container's own program. `environment` goes before the container's. */
export type ExecProgram = {
  readonly argv: readonly string[];
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
};

function execCalls(http: DockerHttp) {
  return {
    /** Runs a program in a container and gives its standard input and output; `onError` gets its standard error. */
    exec: async (id: string, program: ExecProgram, onError: (bytes: Buffer) => void): Promise<Duplex> => {
      const { argv, user, environment } = program;
      const Env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      const body = {
        Cmd: argv,
        User: user,
        Env,
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: false,
      };
      const execId = readNamed(await http.json({ method: "POST", path: `/containers/${id}/exec`, body }), "Id");
      const path = `/exec/${execId}/start`;
      return programStream(await http.hijack({ method: "POST", path, body: { Detach: false, Tty: false } }), onError);
    },
    /** The standard input and output of a container's own program, also before it is started. */
    attach: async (id: string, onError: (bytes: Buffer) => void): Promise<Duplex> => {
      const path = `/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
      return programStream(await http.hijack({ method: "POST", path, body: {} }), onError);
    },
  };
}

/** Puts the version that both sides speak before each path; asks for it at the first request, and anew after a failure. */
function versioned(http: DockerHttp, address: string): DockerHttp {
  let prefix: Promise<string> | undefined;
  const negotiated = () => {
    prefix ??= negotiatedVersion(http, address)
      .then((version) => `/v${version}`)
      .catch((error: unknown) => {
        prefix = undefined;
        throw error;
      });
    return prefix;
  };
  const asking = async <T>(asked: DockerRequest, ask: (asked: DockerRequest) => Promise<T>): Promise<T> => {
    const path = (await negotiated()) + asked.path;
    return ask({ ...asked, path }).catch((thrown: unknown) => {
      // What answers when it is back may be of another version.
      if (!(thrown instanceof DockerError)) prefix = undefined;
      throw thrown;
    });
  };
  return {
    open: (asked) => asking(asked, (whole) => http.open(whole)),
    read: (asked, use) => asking(asked, (whole) => http.read(whole, use)),
    json: (asked) => asking(asked, (whole) => http.json(whole)),
    hijack: (asked) => asking(asked, (whole) => http.hijack(whole)),
    close: () => http.close(),
  };
}

async function unlessMissing(http: DockerHttp, asked: DockerRequest): Promise<unknown> {
  try {
    return await http.json(asked);
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

function having(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Whether a reference names a tag or a digest; a colon before the last slash is a registry's port. */
function hasTag(reference: string): boolean {
  return reference.includes("@") || (reference.split("/").at(-1) ?? "").includes(":");
}
