import { X } from "lucide-react";
import { dismissToast, type Toast, toasts } from "../state/toasts.ts";
import { useValue } from "../state/value-store.ts";
import { Button, IconButton } from "./button.tsx";
import { classNames } from "./class-names.ts";

/** What has just been done and can be taken back, and what went wrong. */
export function ToastRegion() {
  const shown = useValue(toasts);
  return (
    <output
      aria-live="polite"
      className="fixed bottom-16 left-1/2 z-60 flex w-[min(420px,calc(100vw-24px))] -translate-x-1/2 flex-col gap-2"
    >
      {shown.map((toast) => (
        <ToastLine key={toast.id} toast={toast} />
      ))}
    </output>
  );
}

function ToastLine({ toast }: { readonly toast: Toast }) {
  const undo = () => {
    toast.undo?.();
    dismissToast(toast.id);
  };
  return (
    <div
      className={classNames(
        "flex items-center gap-2 rounded-ui border bg-raised py-1.5 pr-1.5 pl-3 shadow-md",
        toast.tone === "bad" ? "border-bad text-bad" : "border-line-strong",
      )}
    >
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">{toast.text}</span>
      {toast.undo && (
        <Button tone="plain" onClick={undo}>
          Undo
        </Button>
      )}
      <IconButton label="Dismiss" icon={X} onClick={() => dismissToast(toast.id)} />
    </div>
  );
}
