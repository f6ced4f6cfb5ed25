import { ModelDialect } from "@handrail/protocol/settings";
import { BooleanText, SizeText, TimeText } from "@handrail/protocol/option-texts";
import { BackendName, SandboxProfile } from "@handrail/protocol/sources";
import { z } from "zod";
import type { Option } from "./option.ts";
import { GATEWAY_OPTIONS } from "./gateway-options.ts";
import { WORKSPACE_OPTIONS } from "./workspace-options.ts";
import { HostListText, HttpUrlText, ListText, NetworkText, numberText, PreviewUrlText, TeamsText } from "./texts.ts";

const whole = numberText(z.number().int().positive().max(1_000_000_000));
const price = numberText(z.number().nonnegative().max(1_000_000));
/** OpenHands writes 0 for "no limit". */
const money = numberText(z.number().nonnegative().max(1_000_000)).transform((usd) => (usd === 0 ? undefined : usd));

/** Every setting of the server. */
export const OPTIONS = {
  host: { env: ["HOST"], value: z.string().min(1).max(253), help: "Address to listen on. Default 127.0.0.1." },
  port: {
    env: ["PORT"],
    value: numberText(z.number().int().min(0).max(65_535)),
    help: "Port to listen on; 0 takes a free one. Default 3000.",
  },
  home: { env: ["HANDRAIL_HOME"], value: z.string().min(1), help: "State directory. Default ~/.handrail." },
  publicUrl: {
    env: ["HANDRAIL_PUBLIC_URL"],
    value: HttpUrlText,
    help: "The address that people use when a proxy stands before Handrail.",
  },
  allowedHosts: {
    env: ["HANDRAIL_ALLOWED_HOSTS"],
    value: ListText,
    help: "Further host names that requests may name, between commas.",
  },
  previewPort: {
    env: ["HANDRAIL_PREVIEW_PORT"],
    value: numberText(z.number().int().min(0).max(65_535)),
    help: "Port that shows what sandboxes serve. Default: the one after port, or a free one if that is taken.",
  },
  previewUrl: {
    env: ["HANDRAIL_PREVIEW_URL"],
    value: PreviewUrlText,
    help: "Address that leads to the preview port. With * in its host, each preview has a host name of its own.",
  },
  teams: {
    env: ["HANDRAIL_TEAMS"],
    value: TeamsText,
    help: "Ids of teams, between commas: what rules, secrets and conversations can be for. Default none.",
  },
  webDirectory: { env: ["HANDRAIL_WEB_DIRECTORY"], value: z.string().min(1), help: "Where the built page is." },

  llmBaseUrl: { env: ["LLM_BASE_URL"], value: HttpUrlText, help: "Base URL of the model's API." },
  llmApiKey: { env: ["LLM_API_KEY"], value: z.string().min(1).max(8192), help: "The key for it.", secret: true },
  llmModel: { env: ["LLM_MODEL"], value: z.string().min(1).max(256), help: "The model's name at that API." },
  llmDialect: {
    env: ["LLM_DIALECT"],
    value: ModelDialect,
    help: "Wire format: openai, anthropic, google or bedrock. Default openai.",
  },
  anthropicApiKey: {
    env: ["ANTHROPIC_API_KEY"],
    value: z.string().min(1).max(8192),
    help: "Key for Anthropic's API, used with llm-dialect anthropic.",
    secret: true,
  },
  llmContextTokens: { env: ["LLM_CONTEXT_TOKENS"], value: whole, help: "The model's context window in tokens." },
  llmMaxOutputTokens: {
    env: ["LLM_MAX_OUTPUT_TOKENS"],
    value: whole,
    help: "Cap on what the model says in one step, in tokens.",
  },
  llmInputUsdPerMillion: {
    env: ["LLM_INPUT_USD_PER_MILLION"],
    value: price,
    help: "Price of a million input tokens in US dollars.",
  },
  llmOutputUsdPerMillion: {
    env: ["LLM_OUTPUT_USD_PER_MILLION"],
    value: price,
    help: "Price of a million output tokens in US dollars.",
  },

  sandbox: {
    env: ["HANDRAIL_SANDBOX"],
    value: BackendName.refine(
      (name) => name !== "kubernetes",
      "this version has no Kubernetes sandboxes: set docker, process or containerd",
    ),
    help: "Backend for new conversations: docker, process, containerd, or none (no isolation). Default: the first that works.",
  },
  sandboxImage: {
    env: ["HANDRAIL_SANDBOX_IMAGE", "SANDBOX_BASE_CONTAINER_IMAGE"],
    value: z.string().min(1).max(512),
    help: "Image of new Docker and containerd sandboxes.",
  },
  sandboxCpus: {
    env: ["HANDRAIL_SANDBOX_CPUS"],
    value: numberText(z.number().positive().max(1024)),
    help: "CPUs of one sandbox. Default 2.",
  },
  sandboxMemory: { env: ["HANDRAIL_SANDBOX_MEMORY"], value: SizeText, help: "Memory of one sandbox. Default 4g." },
  sandboxProcesses: {
    env: ["HANDRAIL_SANDBOX_PROCESSES"],
    value: numberText(z.number().int().min(16).max(1_000_000)),
    help: "Processes of one sandbox. Default 1024.",
  },
  sandboxDisk: {
    env: ["HANDRAIL_SANDBOX_DISK"],
    value: SizeText,
    help: "Workspace and home of one sandbox, where the backend can bound them. Default 10g.",
  },
  sandboxProfile: {
    env: ["HANDRAIL_SANDBOX_PROFILE"],
    value: SandboxProfile,
    help: "Profile of conversations that name none: strict, default or dev. Default default.",
  },
  sandboxProfiles: {
    env: ["HANDRAIL_SANDBOX_PROFILES"],
    value: ListText.pipe(z.array(SandboxProfile).min(1)),
    help: "Profiles that conversations may have. Default strict,default,dev.",
  },
  sandboxContainers: {
    env: ["HANDRAIL_SANDBOX_CONTAINERS"],
    value: BooleanText,
    help: "Let sandboxes with the profile dev make containers inside, with bubblewrap or a Docker runtime with a kernel of its own. Default false.",
  },
  sandboxNetwork: {
    env: ["HANDRAIL_SANDBOX_NETWORK"],
    value: NetworkText,
    help: "none, or what sandboxes may reach: registries, repository, git, host names. Default registries,repository.",
  },
  networkPrivateHosts: {
    env: ["HANDRAIL_NETWORK_PRIVATE_HOSTS"],
    value: HostListText,
    help: "Hosts in private networks that rules may let sandboxes reach: names, .suffixes or addresses. Default none.",
  },
  networkMaxBytes: {
    env: ["HANDRAIL_NETWORK_MAX_BYTES"],
    value: SizeText,
    help: "Bytes that one conversation's sandbox may send and receive in all. Default 20g.",
  },
  networkMaxRequests: {
    env: ["HANDRAIL_NETWORK_MAX_REQUESTS"],
    value: whole,
    help: "Requests of one conversation's sandbox in a minute. Default 3000.",
  },
  networkMaxConnections: {
    env: ["HANDRAIL_NETWORK_MAX_CONNECTIONS"],
    value: whole,
    help: "Connections of one conversation's sandbox at a time. Default 64.",
  },
  networkAsk: {
    env: ["HANDRAIL_NETWORK_ASK"],
    value: TimeText,
    help: "How long a request waits for the user's answer while somebody has the conversation open in the page. Default 60s.",
  },
  sandboxWarm: {
    env: ["HANDRAIL_SANDBOX_WARM"],
    value: numberText(z.number().int().min(0).max(100)),
    help: "Sandboxes kept ready for new conversations, at most; 0 keeps none. Default 2.",
  },
  sandboxIdle: {
    env: ["HANDRAIL_SANDBOX_IDLE"],
    value: TimeText,
    help: "Stop a sandbox that nothing has used for this long. Default 30m.",
  },
  containerdAddress: {
    env: ["CONTAINERD_ADDRESS"],
    value: z.string().min(1).max(107),
    help: "Socket of containerd or CRI-O; offers containerd sandboxes when set. Default /run/containerd/containerd.sock.",
  },
  containerdRuntime: {
    env: ["HANDRAIL_CONTAINERD_RUNTIME"],
    value: z.string().min(1).max(128),
    help: "Runtime handler of containerd's configuration for sandboxes. Default: the runtime's default.",
  },
  containerdDevRuntime: {
    env: ["HANDRAIL_CONTAINERD_DEV_RUNTIME"],
    value: z.string().min(1).max(128),
    help: "Runtime handler for sandboxes with the profile dev, such as one of gVisor. Default: containerd-runtime.",
  },
  processFuse: {
    env: ["HANDRAIL_PROCESS_FUSE"],
    value: BooleanText,
    help: "Bound workspaces of process sandboxes by FUSE where the server is a plain user, which is slower. Default true.",
  },
  dockerHost: {
    env: ["DOCKER_HOST"],
    value: z.string().min(1).max(2048),
    help: "The Docker daemon: unix:///path, tcp://host:port or ssh://user@host. Default unix:///var/run/docker.sock.",
  },
  dockerDevRuntime: {
    env: ["HANDRAIL_DOCKER_DEV_RUNTIME"],
    value: z.string().min(1).max(128),
    help: "Runtime of the Docker daemon for sandboxes with the profile dev, such as runsc. Default: the daemon's default.",
  },
  dockerDisks: {
    env: ["HANDRAIL_DOCKER_DISKS"],
    value: BooleanText,
    help: "Bound workspaces of a Docker daemon elsewhere: a container that may mount does it there. Default true.",
  },
  dockerTlsVerify: {
    env: ["DOCKER_TLS_VERIFY"],
    value: BooleanText,
    help: "Speak TLS to a tcp:// daemon, and check its certificate. Default false.",
  },
  dockerCertPath: {
    env: ["DOCKER_CERT_PATH"],
    value: z.string().min(1).max(4096),
    help: "Folder with ca.pem, cert.pem and key.pem for it. Default ~/.docker.",
  },
  dockerWait: {
    env: ["HANDRAIL_DOCKER_WAIT"],
    value: TimeText,
    help: "How long a Docker daemon that does not answer is waited for. Default 30s with docker-host, else not.",
  },

  ...GATEWAY_OPTIONS,

  ...WORKSPACE_OPTIONS,

  maxRuns: {
    env: ["HANDRAIL_MAX_RUNS"],
    value: numberText(z.number().int().positive().max(1000)),
    help: "Runs at the same time; further ones wait. Default 8.",
  },
  maxCostUsd: { env: ["HANDRAIL_MAX_COST_USD"], value: money, help: "US dollars that a conversation may cost." },
  maxSteps: { env: ["HANDRAIL_MAX_STEPS"], value: whole, help: "Steps that a conversation may take." },
  runMaxCostUsd: {
    env: ["HANDRAIL_RUN_MAX_COST_USD", "MAX_BUDGET_PER_TASK"],
    value: money,
    help: "US dollars that one run may cost. Default 20.",
  },
  runMaxSteps: {
    env: ["HANDRAIL_RUN_MAX_STEPS", "MAX_ITERATIONS"],
    value: numberText(z.number().int().positive().max(100_000)),
    help: "Steps that one run may take. Default 500.",
  },
  runMaxTokens: {
    env: ["HANDRAIL_RUN_MAX_TOKENS"],
    value: numberText(z.number().int().positive().max(10_000_000_000)),
    help: "Tokens that one run may use, input and output.",
  },
  runMaxTime: { env: ["HANDRAIL_RUN_MAX_TIME"], value: TimeText, help: "Time that one run may take. Default 6h." },

  localSources: {
    env: ["HANDRAIL_LOCAL_SOURCES"],
    value: BooleanText,
    help: "Allow folders and repositories on this machine as sources. Default true.",
  },
  metricsPublic: {
    env: ["METRICS_PUBLIC"],
    value: BooleanText,
    help: "Answer /metrics without a session. Default false.",
  },
  logLevel: {
    env: ["LOG_LEVEL"],
    value: z
      .string()
      .toLowerCase()
      .pipe(z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])),
    help: "trace, debug, info, warn, error, fatal or silent. Default info.",
  },
  logAllEvents: { env: ["LOG_ALL_EVENTS"], value: BooleanText, help: "Log every event of every conversation." },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof OPTIONS;

/** What was set, parsed; what was not set is absent. */
export type OptionValues = { readonly [Name in OptionName]?: z.infer<(typeof OPTIONS)[Name]["value"]> | undefined };

/** The setting's name in `handrail.yaml`; its flag is this after `--`. */
export function optionKey(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
