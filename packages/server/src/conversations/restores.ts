import { AppError } from "@handrail/protocol/errors";

/** Which conversations have files put back at the moment. No run begins meanwhile: its agent would act on half of them. */
export type Restores = {
  /** Does the work with the conversation marked. @throws AppError `restore_active` */
  during<Value>(conversationId: string, work: () => Promise<Value>): Promise<Value>;
  /** @throws AppError `restore_active` */
  requireNone(conversationId: string): void;
};

export function restores(): Restores {
  const active = new Set<string>();
  const requireNone = (id: string) => {
    if (!active.has(id)) return;
    throw new AppError("restore_active", "Files are being restored. Try again once that is done.");
  };
  return {
    requireNone,
    async during(id, work) {
      requireNone(id);
      active.add(id);
      try {
        return await work();
      } finally {
        active.delete(id);
      }
    },
  };
}
