import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { classNames } from "../components/class-names.ts";

type FoldProps = {
  /** Found again by the keys that go from call to call. */
  readonly rowKey: string;
  readonly open: boolean;
  readonly onToggle: () => void;
  readonly line: ReactNode;
  readonly children: ReactNode;
};

/** A boxed line that opens what is under it. */
export function FoldRow({ rowKey, open, onToggle, line, children }: FoldProps) {
  return (
    <div className="rounded-ui border border-line bg-raised">
      <button
        type="button"
        data-row={rowKey}
        aria-expanded={open}
        onClick={onToggle}
        className="inset-focus flex min-h-8 w-full items-center gap-2 rounded-ui px-2 text-left hover:bg-hover max-md:min-h-10"
      >
        <ChevronRight size={14} aria-hidden className={classNames("shrink-0 text-ink-3", open && "rotate-90")} />
        {line}
      </button>
      {open && <div className="border-t border-line">{children}</div>}
    </div>
  );
}
