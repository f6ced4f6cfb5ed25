import type { ConversationStatus } from "@handrail/protocol/summary";
import {
  Ban,
  Circle,
  CircleCheck,
  CircleDot,
  CircleX,
  Gauge,
  type LucideIcon,
  MessageCircleQuestion,
} from "lucide-react";
import { classNames } from "./class-names.ts";

type Look = { readonly icon: LucideIcon; readonly word: string; readonly tone: string };

/** How each state looks: an icon, a word and a tone, always together. */
export const STATUS_LOOKS: Readonly<Record<ConversationStatus, Look>> = {
  idle: { icon: Circle, word: "Not started", tone: "text-ink-3" },
  working: { icon: CircleDot, word: "Working", tone: "text-accent" },
  done: { icon: CircleCheck, word: "Done", tone: "text-ok" },
  asked: { icon: MessageCircleQuestion, word: "Asks you", tone: "text-ask" },
  failed: { icon: CircleX, word: "Failed", tone: "text-bad" },
  cancelled: { icon: Ban, word: "Stopped", tone: "text-ink-2" },
  limited: { icon: Gauge, word: "Limited", tone: "text-warn" },
};

/** A conversation's state. */
export function StatusBadge({ status }: { readonly status: ConversationStatus }) {
  const { icon: Icon, word, tone } = STATUS_LOOKS[status];
  const loud = status === "asked" && "rounded-ui bg-ask-soft px-1.5 font-semibold";
  return (
    <span className={classNames("inline-flex shrink-0 items-center gap-1 whitespace-nowrap font-medium", tone, loud)}>
      <Icon size={14} aria-hidden />
      {word}
    </span>
  );
}
