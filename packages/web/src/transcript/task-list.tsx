import type { CallData } from "@handrail/protocol/run-events";
import { Circle, CircleCheck, CircleDot, CircleSlash } from "lucide-react";
import { classNames } from "../components/class-names.ts";

const LOOKS = {
  pending: { icon: Circle, word: "To do", tone: "text-ink-3" },
  active: { icon: CircleDot, word: "Now", tone: "text-accent" },
  done: { icon: CircleCheck, word: "Done", tone: "text-ok" },
  dropped: { icon: CircleSlash, word: "Dropped", tone: "text-ink-3" },
} as const;

/** The agent's plan. */
export function TaskList({ tasks }: { readonly tasks: NonNullable<CallData["tasks"]> }) {
  return (
    <ul className="flex flex-col gap-0.5 px-3 py-1.5">
      {tasks.map((task, index) => {
        const { icon: Icon, word, tone } = LOOKS[task.status];
        return (
          <li key={index} className="flex items-start gap-2">
            <Icon size={14} aria-hidden className={classNames("mt-[3px] shrink-0", tone)} />
            <span className="sr-only">{word}:</span>
            <span
              className={classNames(
                "min-w-0",
                task.status === "dropped" && "text-ink-3 line-through",
                task.status === "active" && "font-medium",
              )}
            >
              {task.title}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
