/** The messages of `cri.proto` and `content.proto` that are built or read elsewhere. Absent fields have protobuf's default. */

export type Labels = Readonly<Record<string, string>>;

export type RuntimeVersion = { readonly runtimeName: string; readonly runtimeVersion: string };

export type RuntimeCondition = {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
};

export type RuntimeStatus = {
  readonly conditions: readonly RuntimeCondition[];
  /** Texts by topic, most of them JSON, as the runtime likes; for people and best effort only. */
  readonly info: Readonly<Record<string, string>>;
  /** What the handlers of its configuration can do; empty before containerd 2 and CRI-O 1.31. */
  readonly handlers: readonly RuntimeHandler[];
};

/** A handler without a name is the default one. */
export type RuntimeHandler = {
  readonly name: string;
  readonly features: { readonly userNamespaces: boolean } | null;
};

export type SecurityProfile =
  | { readonly profileType: "RuntimeDefault" }
  | { readonly profileType: "Localhost"; readonly localhostRef: string };

export type NamespaceOptions = Readonly<Record<"network" | "pid" | "ipc", "POD" | "CONTAINER">> & {
  /** Absent: no user namespace. Runtimes before version 1.27 of the interface skip it. */
  readonly usernsOptions?: UserNamespace;
};

export type UserNamespace = {
  readonly mode: "POD";
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
};

export type IdMapping = { readonly hostId: number; readonly containerId: number; readonly length: number };

export type PodConfig = {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string };
  readonly hostname: string;
  readonly labels: Labels;
  readonly linux: {
    readonly securityContext: {
      readonly namespaceOptions: NamespaceOptions;
      readonly runAsUser: { readonly value: number };
      readonly runAsGroup: { readonly value: number };
      readonly readonlyRootfs: true;
      readonly seccomp: SecurityProfile;
    };
    readonly sysctls: Readonly<Record<string, string>>;
  };
};

export type CriMount = { readonly hostPath: string; readonly containerPath: string; readonly readonly: boolean };

export type ContainerConfig = {
  readonly metadata: { readonly name: string };
  /** CRI-O looks for what signatures are asked for of the name that people gave. */
  readonly image: { readonly image: string; readonly userSpecifiedImage: string };
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly CriMount[];
  readonly labels: Labels;
  readonly linux: {
    readonly resources: Readonly<Record<string, number | Readonly<Record<string, string>>>>;
    readonly securityContext: {
      readonly capabilities: {
        readonly addCapabilities: readonly string[];
        readonly dropCapabilities: readonly string[];
      };
      readonly namespaceOptions: NamespaceOptions;
      readonly runAsUser: { readonly value: number };
      readonly runAsGroup: { readonly value: number };
      readonly readonlyRootfs: boolean;
      readonly noNewPrivs: true;
      readonly maskedPaths: readonly string[];
      readonly readonlyPaths: readonly string[];
      readonly seccomp: SecurityProfile;
    };
  };
};

/** `createdAt`: nanoseconds of Unix time. */
export type Pod = { readonly id: string; readonly labels: Labels; readonly createdAt: number };

/** Where the host finds a pod's namespaces. */
export type PodNamespaces = {
  /** The process that holds them; undefined where none does. */
  readonly pid: number | undefined;
  /** A file that the network namespace is bound to. */
  readonly networkPath: string | undefined;
};

export type ContainerState = "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN";

export type Container = { readonly id: string; readonly podSandboxId: string; readonly state: ContainerState };

export type ContainerStatus = {
  readonly state: ContainerState;
  readonly exitCode: number;
  /** Such as `OOMKilled`. */
  readonly reason: string;
  readonly message: string;
};

/** A piece of content on its way into containerd: `offset` bytes of `total` have come. */
export type Transfer = { readonly ref: string; readonly offset: number; readonly total: number };
