import { useMutation } from "@tanstack/react-query";
import { MessageCircleQuestion } from "lucide-react";
import { Button } from "../components/button.tsx";
import { Markdown } from "../components/markdown.tsx";
import type { ConversationView } from "../state/conversation-store.ts";
import { openQuestion } from "../state/open-question.ts";
import { useServices } from "../state/services.ts";
import { showError } from "../state/toasts.ts";
import { useOnline } from "../state/use-known-now.ts";

type AskProps = { readonly conversationId: string; readonly view: ConversationView };

/** The agent's question: the loudest thing on the screen. A choice answers at once; any other answer is typed. */
export function AskBanner({ conversationId, view }: AskProps) {
  const { client } = useServices();
  const online = useOnline();
  const answer = useMutation({
    mutationFn: (text: string) =>
      client.addMessage({ params: { id: conversationId }, body: { content: [{ type: "text", text }] } }),
    onError: showError,
  });
  const open = openQuestion(view.state, view.transcript);
  if (open === null) return null;
  return (
    <section aria-labelledby="question" className="mb-2 rounded-ui border-2 border-ask bg-ask-soft p-3">
      <h2 id="question" className="mb-1 flex items-center gap-1.5 text-prose font-semibold text-ask">
        <MessageCircleQuestion size={18} aria-hidden />
        The agent asks you
      </h2>
      <div className="max-h-[30dvh] overflow-auto">
        <Markdown text={open.question} />
      </div>
      {open.choices.length > 0 && (
        <div className="mt-2 flex flex-wrap gap-2">
          {open.choices.map((choice) => (
            <Button
              key={choice}
              tone="ask"
              className="max-w-full whitespace-normal! [overflow-wrap:anywhere]"
              disabled={answer.isPending || !online}
              onClick={() => answer.mutate(choice)}
            >
              {choice}
            </Button>
          ))}
        </div>
      )}
      <p className="mt-2 text-small text-ink-2">
        {open.choices.length > 0 ? "Or answer below in your own words." : "Answer below."}
      </p>
    </section>
  );
}
