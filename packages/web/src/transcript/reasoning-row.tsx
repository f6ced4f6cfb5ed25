import { Brain, ChevronRight } from "lucide-react";
import { classNames } from "../components/class-names.ts";
import { useOpened } from "./use-opened.ts";

type ReasoningProps = { readonly rowKey: string; readonly text: string; readonly live?: boolean };

/** What the model thought: folded and dim, there for who wants it. */
export function ReasoningRow({ rowKey, text, live = false }: ReasoningProps) {
  const [open, toggle] = useOpened(rowKey, false);
  return (
    <div className="text-ink-3">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="flex min-h-6 items-center gap-1.5 hover:text-ink"
      >
        <ChevronRight size={14} aria-hidden className={classNames(open && "rotate-90")} />
        <Brain size={14} aria-hidden />
        {live ? "Thinking" : "Thought"}
      </button>
      {open && (
        <p className="mt-1 max-w-[76ch] border-l border-line pl-3 whitespace-pre-wrap [overflow-wrap:anywhere]">
          {text}
        </p>
      )}
    </div>
  );
}
