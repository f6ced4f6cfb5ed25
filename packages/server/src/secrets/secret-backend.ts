import type { Sandbox, SandboxBackend } from "@handrail/core/ports/sandbox";
import type { ConversationSecrets } from "./conversation-secrets.ts";
import { maskedSandbox } from "./masked-sandbox.ts";

/**
 * The backend, with what belongs to secrets: each sandbox is equipped before it is given out, and again at the
 * first call after a change of its secrets, and what comes out of it is masked.
 */
export function secretBackend(backend: SandboxBackend, secrets: ConversationSecrets<unknown>): SandboxBackend {
  const wrapped = new WeakMap<Sandbox, Sandbox>();
  const give = async (conversationId: string, sandbox: Sandbox, signal: AbortSignal) => {
    const known = wrapped.get(sandbox);
    if (known !== undefined) return known;
    await secrets.equip(conversationId, sandbox, signal);
    const masked = maskedSandbox(sandbox, {
      masker: () => secrets.maskerFor(conversationId),
      prepare: (limit) => secrets.equip(conversationId, sandbox, limit),
    });
    wrapped.set(sandbox, masked);
    return masked;
  };
  return {
    name: backend.name,
    health: (signal) => backend.health(signal),
    hasWorkspace: (conversationId) => backend.hasWorkspace(conversationId),
    stop: (conversationId) => backend.stop(conversationId),
    collect: (keep) => backend.collect(keep),
    close: () => backend.close(),
    async find(conversationId, signal) {
      const found = await backend.find(conversationId, signal);
      return found && give(conversationId, found, signal);
    },
    async start(spec, onProgress, signal) {
      return give(spec.conversationId, await backend.start(spec, onProgress, signal), signal);
    },
    async remove(conversationId) {
      await backend.remove(conversationId);
      secrets.forget(conversationId);
    },
  };
}
