import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "../components/button.tsx";
import { MessageBox } from "../components/message-box.tsx";
import { useDraft } from "../state/use-draft.ts";
import { readLimits } from "../state/limit-draft.ts";
import { useServices } from "../state/services.ts";
import { hasOwnModel, useSettings } from "../state/session-queries.ts";
import { type ConversationDraft, NEW_DRAFT, readSandbox, readSetup, readSource } from "../state/source-draft.ts";
import { contentOf, useAttachments } from "../state/use-attachments.ts";
import { useTitle } from "../state/use-title.ts";
import { useOnline } from "../state/use-known-now.ts";
import { BackendNotice, ChosenBackendNotice, ChosenProfileNotice } from "./backend-notice.tsx";
import { FirstRun } from "./first-run.tsx";
import { SandboxFields } from "./sandbox-fields.tsx";
import { SourceFields } from "./source-fields.tsx";
import { TeamSelect } from "./team-select.tsx";

/** A new conversation: where the files come from, where it runs, and the task. */
export function NewConversationScreen() {
  const settings = useSettings();
  useTitle("New conversation");
  if (settings.data !== undefined && !hasOwnModel(settings.data.models)) return <FirstRun />;
  return (
    <div className="h-full overflow-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-5 p-6 max-md:p-4">
        <h1 className="text-title font-semibold">New conversation</h1>
        <NewConversationForm />
      </div>
    </div>
  );
}

function NewConversationForm() {
  const [draft, setDraft] = useState<ConversationDraft>(NEW_DRAFT);
  const { text, setText, clear } = useDraft("new");
  const attachments = useAttachments();
  const { start, problem } = useStart(clear);
  const online = useOnline();
  const change = (part: Partial<ConversationDraft>) => setDraft({ ...draft, ...part });
  const ready = online && attachments.uploading === 0 && !start.isPending;
  const send = () => ready && start.mutate({ draft, content: contentOf(text, attachments.attached) });
  return (
    <>
      <BackendNotice />
      <ChosenBackendNotice draft={draft} onChange={change} />
      <ChosenProfileNotice draft={draft} onChange={change} />
      <SourceFields draft={draft} onChange={change} />
      <TeamSelect
        label="For"
        none="Yourself"
        hint={draft.team === "" ? undefined : "The rules, secrets and budget of the team hold, beside your own."}
        team={draft.team}
        onTeam={(team) => change({ team })}
      />
      <div>
        <h2 className="mb-1 font-medium">Task</h2>
        <MessageBox
          label="Task"
          placeholder="What should be done? Markdown, and images by paste or drop."
          text={text}
          onText={setText}
          onSend={send}
          attachments={attachments}
          rows={5}
        >
          <span className="text-small text-ink-3 max-md:hidden">Shift Enter for a new line</span>
          <Button tone="primary" onClick={send} disabled={!ready}>
            {start.isPending ? "Starting" : "Start"}
          </Button>
        </MessageBox>
        {problem !== null && (
          <p role="alert" className="mt-2 text-bad">
            {problem}
          </p>
        )}
      </div>
      <SandboxFields draft={draft} onChange={change} />
    </>
  );
}

type Start = { readonly draft: ConversationDraft; readonly content: ReturnType<typeof contentOf> };

function useStart(onStarted: () => void) {
  const { client } = useServices();
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: async ({ draft, content }: Start) => {
      const made = await client.createConversation({ body: requestOf(draft, content) });
      onStarted();
      await navigate({
        to: "/conversations/$conversationId",
        params: { conversationId: made.id },
        search: { panel: "changes" },
      });
    },
  });
  return { start, problem: start.error?.message ?? null };
}

/** What the form asks the server for. @throws Error a sentence that says what is missing */
function requestOf(draft: ConversationDraft, content: Start["content"]) {
  const source = required(readSource(draft));
  const runLimits = required(readLimits(draft.runLimits));
  const sandbox = required(readSandbox(draft));
  const setup = required(readSetup(draft));
  if (content.length === 0) throw new Error("Say what should be done.");
  return {
    source,
    content,
    ...(draft.team === "" ? {} : { teamId: draft.team }),
    ...(sandbox && { sandbox }),
    ...(setup && { setup }),
    ...(draft.model === "" ? {} : { model: draft.model }),
    ...(Object.keys(runLimits).length === 0 ? {} : { runLimits }),
  };
}

/** What was read of the form. @throws Error when it is a sentence that says what is wrong */
function required<Value>(read: Value | string): Value {
  if (typeof read === "string") throw new Error(read);
  return read;
}
