import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toAppError } from "@handrail/protocol/errors";
import { holderNow, type TeamsOf } from "../auth/teams.ts";
import type { OpenJournals } from "../conversations/open-journals.ts";
import { conversationSecrets } from "../secrets/conversation-secrets.ts";
import { secretBackend } from "../secrets/secret-backend.ts";
import { type SecretStore, secretStore, StoredSecrets } from "../secrets/secret-store.ts";
import { jsonFile, replaceFile } from "../settings/json-file.ts";
import type { Mask } from "../settings/mask.ts";
import type { Secrets } from "../settings/secrets.ts";
import type { BackendLoaders } from "./backends.ts";

type Parts = {
  readonly home: string;
  readonly secrets: Secrets;
  readonly mask: Mask;
  readonly journals: OpenJournals;
  readonly teamsOf: TeamsOf;
};
type SandboxParts = Pick<Parts, "home" | "journals" | "teamsOf">;

/** Loads the broker's part at the first use. */
export type LazySandboxSecrets = () => ReturnType<typeof openSandboxSecrets>;

/** The store of secrets. Every value that it comes to know is masked in the server's log. */
export function openSecretStore({ home, secrets, mask }: Omit<Parts, "journals" | "teamsOf">): SecretStore {
  const file = jsonFile(join(home, "secrets.json"), StoredSecrets);
  return secretStore({ file, secrets, now: Date.now, known: (name, value) => mask.add(value, name) });
}

/** What each conversation's sandbox has of the store's secrets. */
export function lazySandboxSecrets(store: SecretStore, parts: SandboxParts): LazySandboxSecrets {
  let made: ReturnType<typeof openSandboxSecrets> | undefined;
  return () => (made ??= openSandboxSecrets(store, parts));
}

/** Backends whose sandboxes are equipped and masked. One without isolation has no broker, and nothing to hide from. */
export function loadersWithSecrets(loaders: BackendLoaders, secrets: LazySandboxSecrets): BackendLoaders {
  const isolated = Object.entries(loaders).filter(([name]) => name !== "none");
  const wrapped = isolated.map(
    ([name, load]) => [name, async () => secretBackend(await load(), await secrets())] as const,
  );
  return { ...loaders, ...Object.fromEntries(wrapped) };
}

async function openSandboxSecrets(store: SecretStore, { home, journals, teamsOf }: SandboxParts) {
  const { sandboxAuthority } = await import("@handrail/broker/tls/sandbox-authority");
  return conversationSecrets({
    store,
    newAuthority: () => sandboxAuthority(),
    placeholderKey: await placeholderKey(join(home, "placeholder.key")),
    async conversation(id) {
      const journal = await journals.get(id).catch(unlessUnknown);
      if (journal === undefined) return undefined;
      const { source } = journal.state;
      return { ...holderNow(journal.state, teamsOf), repository: source.type === "git" ? source.url : undefined };
    },
  });
}

function unlessUnknown(thrown: unknown): undefined {
  if (toAppError(thrown).code !== "conversation_not_found") throw thrown;
}

/** A placeholder outlives the server, as its sandbox does. */
async function placeholderKey(path: string): Promise<Buffer> {
  const known = await readFile(path).catch((thrown: unknown) => {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  });
  if (known !== undefined) return known;
  const key = randomBytes(32);
  await replaceFile(path, key);
  return key;
}
