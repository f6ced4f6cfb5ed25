import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { classNames } from "./class-names.ts";
import { IconButton } from "./button.tsx";

type DialogProps = {
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly wide?: boolean;
};

const FIELDS = "input:not([type=hidden], [type=file]), textarea, select";

/**
 * A dialog: it holds the focus while open, and gives it back. Escape and a click beside it close it; where something may
 * have been typed, a click beside it does not. The focus begins in its first field.
 */
export function Dialog({ title, open, onClose, children, wide = false }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null);
  const change = (next: boolean, { reason }: Base.Root.ChangeEventDetails) => {
    const typed = reason === "outside-press" && popup.current?.querySelector("form") !== null;
    if (!next && !typed) onClose();
  };
  const opener = useRef<Element>(null);
  const begin = (how: string) => {
    opener.current = document.activeElement;
    // On a touch screen a keyboard would come up.
    return how === "touch" ? true : (popup.current?.querySelector<HTMLElement>(FIELDS) ?? true);
  };
  // Opened by a key or an address, or from what is gone, it has nothing to give the focus back to.
  const end = () => {
    const back = opener.current;
    return back instanceof HTMLElement && back !== document.body && back.isConnected
      ? back
      : document.getElementById("main");
  };
  return (
    <Base.Root open={open} onOpenChange={change}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/40" />
        <Base.Popup
          ref={popup}
          initialFocus={begin}
          finalFocus={end}
          className={classNames(
            "fixed top-[10dvh] left-1/2 z-50 flex max-h-[80dvh] w-[calc(100vw-24px)] -translate-x-1/2 flex-col rounded-ui border border-line-strong bg-raised shadow-lg",
            wide ? "max-w-2xl" : "max-w-md",
          )}
        >
          <div className="flex items-center justify-between border-b border-line py-2 pr-2 pl-4">
            <Base.Title className="font-semibold">{title}</Base.Title>
            <Base.Close render={<IconButton label="Close" icon={X} />} />
          </div>
          <div className="min-h-0 overflow-auto p-4">{children}</div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
