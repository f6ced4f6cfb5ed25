import type { ConversationState } from "@handrail/protocol/conversation-state";
import { newId } from "@handrail/protocol/ids";
import { ArchiveRestore } from "lucide-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "../components/button.tsx";
import { useFocusOnLeave } from "../components/use-focus-on-leave.ts";
import { MessageBox } from "../components/message-box.tsx";
import { archiveConversation } from "../state/conversation-actions.ts";
import { useDraft } from "../state/use-draft.ts";
import { useServices } from "../state/services.ts";
import { contentOf, useAttachments } from "../state/use-attachments.ts";
import type { RunControls } from "../state/use-run-controls.ts";

type ComposerProps = {
  readonly conversationId: string;
  readonly state: ConversationState | null;
  readonly controls: RunControls;
};

/** Where the user writes, also while it works. What could not be sent stays in the box. */
export function Composer({ conversationId, state, controls }: ComposerProps) {
  const { text, setText, clear } = useDraft(conversationId);
  const attachments = useAttachments();
  const send = useSend(conversationId, () => {
    clear();
    attachments.clear();
  });
  const content = contentOf(text, attachments.attached);
  const ready = controls.online && content.length > 0 && attachments.uploading === 0 && !send.isPending;
  const submit = () => ready && send.mutate(content);
  if (state?.archived === true) return <Archived state={state} online={controls.online} />;
  return (
    <div>
      <MessageBox
        label="Message"
        placeholder={controls.working ? "Steer it: read at the next step" : "Say what to do next"}
        text={text}
        onText={setText}
        onSend={submit}
        attachments={attachments}
        rows={2}
      >
        <Button tone="primary" onClick={submit} disabled={!ready}>
          {send.isPending ? "Sending" : "Send"}
        </Button>
      </MessageBox>
      <Unsent written={content.length > 0} online={controls.online} error={send.error} />
    </div>
  );
}

type ArchivedProps = { readonly state: ConversationState; readonly online: boolean };

function Archived({ state, online }: ArchivedProps) {
  const { client } = useServices();
  const place = useFocusOnLeave<HTMLParagraphElement>();
  return (
    <p ref={place} className="flex flex-wrap items-center gap-3 py-2 text-ink-2">
      This conversation is archived.
      <Button icon={ArchiveRestore} disabled={!online} onClick={() => archiveConversation(client, state, false)}>
        Bring it back
      </Button>
    </p>
  );
}

type UnsentProps = { readonly written: boolean; readonly online: boolean; readonly error: Error | null };

/** Why what is written has not gone out. */
function Unsent({ written, online, error }: UnsentProps) {
  if (!online && written) {
    return <p className="pt-1 text-warn">Not sent yet. It stays here, and can be sent when the server is back.</p>;
  }
  if (!online || error === null) return null;
  return (
    <p role="alert" className="pt-1 text-bad">
      Not sent. {error.message}
    </p>
  );
}

/** Sends a message once: the same content tried again keeps its id, so the server knows a repeat. */
function useSend(conversationId: string, onSent: () => void) {
  const { client } = useServices();
  const [sent, setSent] = useState({ key: "", messageId: "" });
  return useMutation({
    mutationFn: async (content: ReturnType<typeof contentOf>) => {
      const key = JSON.stringify(content);
      const messageId = sent.key === key ? sent.messageId : newId("m", Date.now());
      setSent({ key, messageId });
      await client.addMessage({ params: { id: conversationId }, body: { messageId, content } });
      setSent({ key: "", messageId: "" });
    },
    onSuccess: onSent,
  });
}
