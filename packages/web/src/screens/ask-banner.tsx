import { useMutation } from "@tanstack/react-query";
import { MessageCircleQuestion, Play } from "lucide-react";
import { Button } from "../components/button.tsx";
import { useFocusOnLeave } from "../components/use-focus-on-leave.ts";
import { Markdown } from "../components/markdown.tsx";
import type { ConversationView } from "../state/conversation-store.ts";
import { type OpenQuestion, openQuestion } from "../state/open-question.ts";
import { useServices } from "../state/services.ts";
import type { RunControls } from "../state/use-run-controls.ts";
import { showError } from "../state/toasts.ts";
import { useOnline } from "../state/use-known-now.ts";

type AskProps = {
  readonly conversationId: string;
  readonly view: ConversationView;
  readonly controls: RunControls;
};

/** The agent's question: the loudest thing on the screen. A choice answers at once; any other answer is typed. */
export function AskBanner({ conversationId, view, controls }: AskProps) {
  const open = openQuestion(view.state, view.transcript);
  if (open === null) return null;
  return <Question key={view.state?.lastRun?.runId} conversationId={conversationId} open={open} controls={controls} />;
}

type QuestionProps = Omit<AskProps, "view"> & { readonly open: OpenQuestion };

function Question({ conversationId, open, controls }: QuestionProps) {
  const { client } = useServices();
  const online = useOnline();
  const place = useFocusOnLeave<HTMLElement>();
  const answer = useMutation({
    mutationFn: (text: string) =>
      client.addMessage({ params: { id: conversationId }, body: { content: [{ type: "text", text }] } }),
    onError: showError,
  });
  // Until the log says so too, a second press would be another message.
  const said = answer.isPending || answer.isSuccess;
  return (
    <section ref={place} aria-labelledby="question" className="mb-2 rounded-ui border-2 border-ask bg-ask-soft p-3">
      <h2 id="question" className="mb-1 flex items-center gap-1.5 text-prose font-semibold text-ask">
        <MessageCircleQuestion size={18} aria-hidden />
        {open.stopped ? "The agent has stopped" : "The agent asks you"}
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
              disabled={!online || said}
              onClick={() => answer.mutate(choice)}
            >
              {choice}
            </Button>
          ))}
        </div>
      )}
      {open.stopped && <GoOn controls={controls} />}
      <p className="mt-2 text-small text-ink-2">
        {open.stopped || open.choices.length > 0 ? "Or answer below in your own words." : "Answer below."}
      </p>
    </section>
  );
}

function GoOn({ controls: { continuing, online, goOn } }: Pick<AskProps, "controls">) {
  return (
    <Button tone="ask" icon={Play} className="mt-2" disabled={continuing || !online} onClick={goOn}>
      {continuing ? "Continuing" : "Continue"}
    </Button>
  );
}
