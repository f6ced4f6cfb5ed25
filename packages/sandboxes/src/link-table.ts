import type { Sandbox } from "@handrail/core/ports/sandbox";
import type { SandboxLink } from "./link/sandbox-link.ts";

type Entry = { readonly sandboxId: string; readonly linked: Promise<SandboxLink> };

/** Open connections by conversation: one each, shared by all who ask, forgotten when the sandbox goes. */
export type LinkTable = {
  /** The open sandbox, or the one that `open` gives. Another `sandboxId` than before takes the place of the old one. */
  open(conversationId: string, sandboxId: string, open: () => Promise<SandboxLink>): Promise<Sandbox>;
  /** Lets go of a conversation's connection. No error when there is none. */
  release(conversationId: string): void;
  /** Lets go of all connections. */
  close(): void;
};

export function linkTable(): LinkTable {
  const entries = new Map<string, Entry>();
  const forget = (conversationId: string, entry: Entry) => {
    if (entries.get(conversationId) === entry) entries.delete(conversationId);
  };
  const release = (conversationId: string) => {
    const entry = entries.get(conversationId);
    entries.delete(conversationId);
    entry?.linked.then(
      (linked) => linked.close(),
      () => undefined,
    );
  };
  return {
    open: async (conversationId, sandboxId, open) => {
      const known = entries.get(conversationId);
      if (known?.sandboxId === sandboxId) return known.linked;
      release(conversationId);
      const entry = { sandboxId, linked: open() };
      entries.set(conversationId, entry);
      try {
        const sandbox = await entry.linked;
        sandbox.gone.then(
          () => forget(conversationId, entry),
          () => undefined,
        );
        return sandbox;
      } catch (thrown) {
        forget(conversationId, entry);
        throw thrown;
      }
    },
    release,
    close: () => [...entries.keys()].forEach(release),
  };
}
