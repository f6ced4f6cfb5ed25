import { join } from "node:path";
import type { MethodDefinition, ServiceError } from "@grpc/grpc-js";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { AppError } from "@handrail/protocol/errors";
import { CRI_NAMESPACE } from "./import-image.ts";
import { CriError, unreachable, withoutCri } from "./cri-error.ts";

export type CallWish = {
  /** `Service/Method` of CRI, or of containerd's `Content`. */
  readonly method: string;
  readonly request: object;
  /** Default 20 s. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal | undefined;
};

/** A gRPC channel to one socket. It connects when it is first used, and again after a break. */
export type CriChannel = {
  /**
   * One call and its answer, which is of the shape that `cri.proto` or `content.proto` gives the method's response.
   * @throws AppError `backend_unavailable`; CriError; the signal's reason when aborted
   */
  call(wish: CallWish): Promise<unknown>;
  close(): void;
};

type Method = MethodDefinition<object, unknown>;

/** Where each service is defined. */
const PACKAGES = {
  RuntimeService: "runtime.v1",
  ImageService: "runtime.v1",
  Content: "containerd.services.content.v1",
} as const;

const WITHIN_MS = 20_000;

export function criChannel(socketPath: string): CriChannel {
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
  });
  const methods = loadMethods();
  return {
    call: (wish) => {
      const method = methods.get(wish.method);
      if (method === undefined) throw new AppError("internal", `No service has ${wish.method}.`);
      return unary({ client, method, socketPath }, wish);
    },
    close: () => client.close(),
  };
}

type Way = { readonly client: Client; readonly method: Method; readonly socketPath: string };

function unary({ client, method, socketPath }: Way, wish: CallWish): Promise<unknown> {
  const { signal, request, withinMs = WITHIN_MS } = wish;
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = method;
    const options = { deadline: Date.now() + withinMs };
    const metadata = new Metadata();
    // CRI takes its own; containerd's services keep what is their users' apart by it.
    metadata.set("containerd-namespace", CRI_NAMESPACE);
    const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done);
    const cancel = () => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    function done(error: ServiceError | null, response?: unknown): void {
      signal?.removeEventListener("abort", cancel);
      if (error === null) resolve(response);
      else if (signal?.aborted === true) reject(signal.reason);
      else reject(failure(error, socketPath));
    }
  });
}

function failure(error: ServiceError, socketPath: string): Error {
  if (error.code === status.UNIMPLEMENTED) return withoutCri(socketPath);
  if (error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED) {
    return unreachable(socketPath, error.details);
  }
  return new CriError(error.details, { cause: error });
}

/** The methods by service and name; fields in camel case, enums as words, 64-bit numbers as numbers. */
function loadMethods(): ReadonlyMap<string, Method> {
  const files = ["cri.proto", "content.proto"].map((name) => join(import.meta.dirname, name));
  const loaded = loadSync(files, { longs: Number, enums: String, defaults: true });
  return new Map(
    Object.entries(PACKAGES).flatMap(([service, from]) => {
      const definition = loaded[`${from}.${service}`] ?? {};
      return Object.entries(definition).map(([name, method]) => [`${service}/${name}`, method as Method] as const);
    }),
  );
}
