import type { MarkerItem } from "@handrail/protocol/transcript-items";
import { CircleCheck, CircleX, Info, TriangleAlert } from "lucide-react";
import { classNames } from "../components/class-names.ts";
import { describeMarker, type MarkerLine } from "../state/describe-marker.ts";
import { formatExact } from "../state/format.ts";
import { plainText } from "../state/plain-text.ts";

const LOOKS: Readonly<Record<MarkerLine["tone"], { readonly icon: typeof Info; readonly tone: string }>> = {
  plain: { icon: Info, tone: "text-ink-3" },
  ok: { icon: CircleCheck, tone: "text-ok" },
  warn: { icon: TriangleAlert, tone: "text-warn" },
  bad: { icon: CircleX, tone: "text-bad" },
};

/** An event of Handrail's own, as one quiet line. */
export function MarkerRow({ item }: { readonly item: MarkerItem }) {
  const line = describeMarker(item);
  const { icon: Icon, tone } = LOOKS[line.tone];
  return (
    <p title={formatExact(item.at)} className={classNames("flex items-start gap-1.5", tone)}>
      <Icon size={14} aria-hidden className="mt-[3px] shrink-0" />
      <span className="min-w-0 [overflow-wrap:anywhere]">{plainText(line.text)}</span>
    </p>
  );
}
