import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { Button } from "../components/button.tsx";
import { useServices } from "../state/services.ts";
import { DEMO_LABEL } from "../state/session-queries.ts";
import { showError } from "../state/toasts.ts";
import { useOnline } from "../state/use-known-now.ts";

const TASK = "A test of this repository fails. Find out why, fix the code, and show that all tests pass.";

/** Offers the demo and starts it. */
export function DemoOffer() {
  const { client } = useServices();
  const navigate = useNavigate();
  const online = useOnline();
  const start = useMutation({
    mutationFn: async () => {
      const content = [{ type: "text" as const, text: TASK }];
      const made = await client.createConversation({ body: { source: { type: "demo" }, model: "demo", content } });
      await navigate({
        to: "/conversations/$conversationId",
        params: { conversationId: made.id },
        search: { panel: "changes" },
      });
    },
    onError: showError,
  });
  return (
    <section
      aria-labelledby="demo"
      className="flex items-center gap-4 rounded-ui border border-line bg-raised p-4 max-md:flex-col max-md:items-start"
    >
      <div className="flex-1">
        <h2 id="demo" className="font-semibold">
          {DEMO_LABEL}
        </h2>
        <p className="text-ink-2">
          No model thinks here: a script plays its part. The repository, the failing test, the commands and the sandbox
          are real. Costs nothing.
        </p>
      </div>
      <Button icon={Play} disabled={start.isPending || !online} onClick={() => start.mutate()}>
        {start.isPending ? "Starting the demo" : "Run the demo"}
      </Button>
    </section>
  );
}
