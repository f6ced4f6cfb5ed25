import type { Fork } from "@handrail/protocol/checkpoints";
import type { Checkpoints } from "../checkpoints/checkpoints.ts";
import { createConversation, type CreateParts } from "../conversations/create-conversation.ts";
import type { Journal } from "@handrail/core/journal";
import type { Handlers } from "../http/handlers.ts";

type Which = Parameters<Checkpoints["prepareFork"]>[1];
type Moment = { readonly checkpointId: string; readonly asOf: number };

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
      const { teamId, source, sandbox, model, limits, runLimits, title } = (await parts.journal(params.id)).state;
      const like = { teamId, source, sandbox, model, limits, runLimits };
      const wanted = { ...like, ownerId: identity.userId, title: body.title ?? `${title} (fork)`.slice(0, 200) };
      const fork = forkOf(parts, params.id, body);
      try {
        const all = { ...wanted, content: body.content, fork: fork.prepare };
        const made = await createConversation(parts.create, all, signal);
        return { ...made, forkedFrom: await fork.from };
      } finally {
        fork.unpin();
      }
    },
  };
}

/** What a fork begins with, once it is known which id it has. `from` is there after `prepare`. */
function forkOf({ checkpoints, pin }: CheckpointHandlerParts, origin: string, which: Which) {
  const from = Promise.withResolvers<Moment>();
  let unpin = () => {};
  const prepare = async (id: string): Promise<Fork> => {
    unpin = pin(id);
    const { fork, asOf } = await checkpoints.prepareFork(origin, which, id);
    from.resolve({ checkpointId: fork.from.checkpointId, asOf });
    return fork;
  };
  return { prepare, from: from.promise, unpin: () => unpin() };
}
