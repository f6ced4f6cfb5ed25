import { useMutation } from "@tanstack/react-query";
import { Globe } from "lucide-react";
import type { StoredEvent } from "@handrail/protocol/events";
import type { RuleScope } from "@handrail/protocol/network-events";
import type { OpenAsk } from "@handrail/protocol/network-state";
import { Button } from "../components/button.tsx";
import { useFocusOnLeave } from "../components/use-focus-on-leave.ts";
import { AskWait } from "./ask-wait.tsx";
import { askedPlace } from "@handrail/protocol/asked-place";
import type { ConversationView } from "../state/conversation-store.ts";
import { openAsks } from "../state/open-asks.ts";
import { useServices } from "../state/services.ts";
import { useTeams } from "../state/session-queries.ts";
import { showError } from "../state/toasts.ts";
import { useNow } from "../state/use-now.ts";
import { useOnline } from "../state/use-known-now.ts";

type AsksProps = { readonly conversationId: string; readonly view: ConversationView };

/** What the sandbox wants to reach and nobody has answered yet, oldest first. */
export function NetworkAsks({ conversationId, view }: AsksProps) {
  const asks = openAsks(view.state, useNow(60_000));
  const teams = useTeams();
  const teamId = view.state?.teamId ?? null;
  if (asks.length === 0) return null;
  return (
    <section aria-label="Network questions" className="mb-2 max-h-[40dvh] overflow-auto">
      {asks.map((ask) => (
        <NetworkAsk
          key={ask.askId}
          conversationId={conversationId}
          ask={ask}
          events={view.events}
          repository={view.state?.source.type === "git" || view.state?.source.type === "folder"}
          teamId={teamId !== null && teams.includes(teamId) ? teamId : null}
        />
      ))}
    </section>
  );
}

type Answer = "once" | "here" | "always" | "deny";
type Choice = { readonly label: string; readonly answer: Answer; readonly scope?: RuleScope };

const FIRST: readonly Choice[] = [
  { label: "Allow once", answer: "once" },
  { label: "Allow in this conversation", answer: "here" },
];
const REPOSITORY: Choice = { label: "Always for this repository", answer: "always", scope: "repository" };
const teamChoice = (teamId: string): Choice => ({
  label: `Always for team ${teamId}`,
  answer: "always",
  scope: "team",
});
const LAST: readonly Choice[] = [
  { label: "Always", answer: "always", scope: "owner" },
  { label: "Do not allow", answer: "deny" },
];

type AskProps = {
  readonly conversationId: string;
  readonly ask: OpenAsk;
  readonly events: readonly StoredEvent[];
  /** Whether the conversation has one. */
  readonly repository: boolean;
  /** The conversation's team, if the user belongs to it. */
  readonly teamId: string | null;
};

function NetworkAsk({ conversationId, ask, events, repository, teamId }: AskProps) {
  const { client } = useServices();
  const online = useOnline();
  const place = useFocusOnLeave<HTMLFieldSetElement>();
  const answer = useMutation({
    mutationFn: ({ answer: given, scope }: Choice) =>
      client.answerAsk({
        params: { id: conversationId, askId: ask.askId },
        body: { answer: given, ...(scope === undefined ? {} : { scope }) },
      }),
    onError: showError,
  });
  // Until the log says so too, a second press would be another answer.
  const said = answer.isPending || answer.isSuccess;
  const choices = [
    ...FIRST,
    ...(repository ? [REPOSITORY] : []),
    ...(teamId === null ? [] : [teamChoice(teamId)]),
    ...LAST,
  ];
  return (
    <fieldset
      ref={place}
      aria-labelledby={ask.askId}
      aria-describedby={`${ask.askId}-wait`}
      className="mb-2 rounded-ui border-2 border-ask bg-ask-soft p-3 last:mb-0"
    >
      <h2 id={ask.askId} className="mb-1 flex items-center gap-1.5 text-prose font-semibold text-ask">
        <Globe size={18} aria-hidden className="shrink-0" />
        <span className="min-w-0 [overflow-wrap:anywhere]">The sandbox wants to reach {askedPlace(ask)}</span>
      </h2>
      <AskWait id={`${ask.askId}-wait`} ask={ask} events={events} />
      <div className="flex flex-wrap gap-2">
        {choices.map((choice) => (
          <Button
            key={choice.label}
            tone="ask"
            className="max-w-full whitespace-normal! [overflow-wrap:anywhere]"
            disabled={!online || said}
            onClick={() => answer.mutate(choice)}
          >
            {choice.label}
          </Button>
        ))}
      </div>
    </fieldset>
  );
}
