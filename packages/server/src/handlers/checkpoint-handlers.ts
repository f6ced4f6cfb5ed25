import type { IdPrefix } from "@handrail/protocol/ids";
import type { Checkpoints } from "../checkpoints/checkpoints.ts";
import { createConversation, type CreateParts } from "../conversations/create-conversation.ts";
import type { Journal } from "@handrail/core/journal";
import type { Handlers } from "../http/handlers.ts";

type Names =
  | "checkpoints"
  | "createCheckpoint"
  | "checkpointChanges"
  | "checkpointFile"
  | "restoreCheckpoint"
  | "forkConversation";

export type CheckpointHandlerParts = {
  readonly checkpoints: Checkpoints;
  readonly journal: (id: string) => Promise<Journal>;
  readonly create: CreateParts;
  readonly newId: (prefix: IdPrefix) => string;
  /** Keeps what a conversation that is about to be there will need, until it is called off. */
  readonly pin: (conversationId: string) => () => void;
};

export function checkpointHandlers(parts: CheckpointHandlerParts): Pick<Handlers, Names> {
  const { checkpoints } = parts;
  return {
    checkpoints: async ({ params }) => ({ checkpoints: await checkpoints.list(params.id) }),
    createCheckpoint: ({ params, signal }) => checkpoints.create(params.id, signal),
    checkpointChanges: ({ params, query }) => checkpoints.compare(params.id, query),
    checkpointFile: ({ params, query }) => checkpoints.file(params.id, query),
    restoreCheckpoint: ({ params, body, signal }) => checkpoints.restore(params.id, body, signal),
    async forkConversation({ params, body, identity, signal }) {
      const id = parts.newId("c");
      const unpin = parts.pin(id);
      try {
        const { fork, asOf } = await checkpoints.prepareFork(params.id, body, id);
        const { source, sandbox, model, limits, runLimits, title } = (await parts.journal(params.id)).state;
        const like = { source, sandbox, model, limits, runLimits };
        const wanted = { ...like, ownerId: identity.userId, title: body.title ?? `${title} (fork)`.slice(0, 200) };
        const made = await createConversation(parts.create, { ...wanted, content: body.content, id, fork }, signal);
        return { ...made, forkedFrom: { checkpointId: fork.from.checkpointId, asOf } };
      } finally {
        unpin();
      }
    },
  };
}
