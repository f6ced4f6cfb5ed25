import type { SnapshotState } from "@handrail/protocol/conversation-state";
import { Link } from "@tanstack/react-router";
import { Empty } from "../components/empty.tsx";

/** What stands where nothing was said yet. */
export function EmptyTranscript({ fork }: Pick<SnapshotState, "fork">) {
  return (
    <div className="mx-auto max-w-[46rem]">
      <Empty>
        {fork === undefined ? (
          <p>Nothing was said yet. Say below what to do.</p>
        ) : (
          <p>
            A fork of{" "}
            <Link
              to="/conversations/$conversationId"
              params={{ conversationId: fork.conversationId }}
              className="text-accent underline"
            >
              another conversation
            </Link>
            . It starts with the files of a checkpoint there, and with nothing of what was said. Say below what to do.
          </p>
        )}
      </Empty>
    </div>
  );
}
