import { join } from "node:path";
import { rulesOf } from "@handrail/broker/allow-list";
import type { BrokerRecord } from "@handrail/broker/broker-record";
import { createBroker } from "@handrail/broker/create-broker";
import { sandboxAuthority } from "@handrail/broker/tls/sandbox-authority";
import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import { newId } from "@handrail/protocol/ids";
import type { SecretInput } from "@handrail/protocol/secrets";
import { containerdBackend } from "@handrail/sandboxes/containerd/containerd-backend";
import { dockerBackend } from "@handrail/sandboxes/docker/docker-backend";
import { processBackend } from "@handrail/sandboxes/process/process-backend";
import { DOCKER_HOST } from "@handrail/sandboxes/testing/docker-daemon";
import { forgetInDocker } from "@handrail/sandboxes/testing/forget-installation";
import { builtPrograms } from "@handrail/sandboxes/testing/test-programs";
import { openSecretStore } from "../compose/secrets.ts";
import { conversationSecrets } from "../secrets/conversation-secrets.ts";
import { secretBackend } from "../secrets/secret-backend.ts";
import { mask } from "../settings/mask.ts";
import { openSecrets } from "../settings/secrets.ts";

export type SecretBenchOptions = {
  /** The state directory. */
  readonly home: string;
  /** Names this bench's sandboxes, so that no other run takes them for its own. */
  readonly installation: string;
  /** By name. All conversations have them. */
  readonly secrets: Readonly<Record<string, SecretInput>>;
  /** The hosts that sandboxes may reach, with their ports. All are on this machine's loopback. */
  readonly hosts: readonly string[];
  /** PEM: the authorities that the broker believes. */
  readonly roots: readonly string[];
  /** Where containerd is, for sandboxes on it. */
  readonly containerd?: string | undefined;
  /** Paths of this machine that process sandboxes may read besides. */
  readonly readOnly?: readonly string[];
};

export type SecretBackendName = "process" | "docker" | "containerd";

const OWNER = "local";
const SIGNAL = AbortSignal.timeout(300_000);

/** Sandboxes with secrets and a broker that reaches servers on loopback. The caller closes it. */
export async function openSecretBench(options: SecretBenchOptions) {
  const { home, installation, secrets: held, hosts, roots, readOnly, containerd } = options;
  const masks = mask();
  const store = openSecretStore({ home, secrets: await openSecrets(join(home, "secret.key")), mask: masks });
  for (const [name, secret] of Object.entries(held)) await store.save(OWNER, name, secret);
  const secrets = conversationSecrets({
    store,
    conversation: async () => ({ ownerId: OWNER, teamId: null, repository: undefined }),
    newAuthority: () => sandboxAuthority(),
    placeholderKey: Buffer.alloc(32, 7),
  });
  const records: BrokerRecord[] = [];
  const rules = rulesOf({ type: "allow", presets: [], hosts: [...hosts] });
  const broker = createBroker({
    lookUp: async () => ({ rules, bytesUsed: 0 }),
    openWith: async (id) => ({ ...(await secrets.openWith(id)), roots }),
    onRequest: (record) => records.push(record),
    resolve: async () => ["127.0.0.1"],
    allowLoopback: true,
  });
  const common = { installation, sandboxdDirectory: builtPrograms(), egress: broker.handle, limits: {} };
  const backends: Record<SecretBackendName, SandboxBackend> = {
    process: secretBackend(
      processBackend({ ...common, directory: join(home, "sandboxes"), extraReadOnly: readOnly }),
      secrets,
    ),
    docker: secretBackend(dockerBackend({ ...common, host: DOCKER_HOST, defaultImage: undefined }), secrets),
    containerd: secretBackend(
      containerdBackend({ ...common, directory: join(home, "containerd"), address: containerd }),
      secrets,
    ),
  };
  const conversations: (readonly [SandboxBackend, string])[] = [];
  const start = (name: SecretBackendName) => {
    const conversationId = newId("c", Date.now());
    conversations.push([backends[name], conversationId]);
    const choice = { backend: name, network: { type: "none" } } as const;
    return backends[name].start({ conversationId, choice, seedDirectory: undefined }, () => undefined, SIGNAL);
  };
  const close = async () => {
    for (const [backend, id] of conversations) await backend.remove(id);
    await Promise.all(Object.values(backends).map((backend) => backend.close()));
    broker.close();
    await forgetInDocker(installation);
  };
  return { start, records, masks, close };
}

/** Runs a script in the sandbox: all that it said, and how it ended. */
export async function shell(sandbox: Sandbox, script: string) {
  const args = { argv: ["sh", "-c", script], timeoutMs: 60_000, capBytes: 200_000 };
  const { stdout, stderr, exitCode } = await sandbox.call("process.run", args, { signal: SIGNAL });
  return { said: `${stdout}${stderr}`, exitCode };
}
