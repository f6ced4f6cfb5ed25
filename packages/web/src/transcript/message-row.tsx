import type { ContentPart } from "@handrail/protocol/content";
import type { MessageItem } from "@handrail/protocol/transcript-items";
import { Clock } from "lucide-react";
import { Age } from "../components/age.tsx";
import { Markdown } from "../components/markdown.tsx";
import { useTranscript } from "./transcript-context.ts";

/** What the user said. */
export function MessageRow({ item }: { readonly item: MessageItem }) {
  return (
    <div className="mt-2 rounded-ui border border-line border-l-2 border-l-accent bg-sunken px-3 py-2">
      <div className="mb-1 flex items-center gap-2 text-small text-ink-3">
        <span className="font-semibold text-ink-2">You</span>
        <Age at={item.at} />
        {item.queued && (
          <span className="flex items-center gap-1 text-warn">
            <Clock size={12} aria-hidden />
            Will be read at the next step
          </span>
        )}
      </div>
      <Content content={item.content} />
    </div>
  );
}

/** Text as Markdown, and images from the conversation's own store. */
export function Content({ content }: { readonly content: readonly ContentPart[] }) {
  const { conversationId } = useTranscript();
  return (
    <div className="flex flex-col gap-2">
      {content.map((part, index) =>
        part.type === "text" ? (
          <Markdown key={index} text={part.text} />
        ) : (
          <img
            key={index}
            src={`/api/conversations/${conversationId}/blobs/${part.blob}`}
            alt="Attached to the message"
            className="max-h-72 max-w-full rounded-ui border border-line object-contain"
          />
        ),
      )}
    </div>
  );
}
