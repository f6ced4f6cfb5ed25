import { X } from "lucide-react";
import { useEffect } from "react";
import { dismissToast, holdToasts, type Toast, toasts, undoToast } from "../state/toasts.ts";
import { useShortcuts } from "../state/use-shortcuts.ts";
import { useValue } from "../state/value-store.ts";
import { Button, IconButton } from "./button.tsx";
import { classNames } from "./class-names.ts";
import { useFocusOnLeave } from "./use-focus-on-leave.ts";

/**
 * What has just been done and can be taken back, and what went wrong. It has a place of its own, so it covers nothing.
 * Nothing goes from it while the pointer or the focus is there.
 */
export function ToastRegion() {
  const shown = useValue(toasts);
  const empty = shown.length === 0;
  useEffect(() => {
    if (empty) holdToasts(false);
  }, [empty]);
  useShortcuts({ undo: () => undoToast() });
  return (
    // What is pressed are the buttons in it; this only hears whether somebody is there.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <output
      aria-live="polite"
      aria-label="What happened"
      onPointerEnter={() => holdToasts(true)}
      onPointerLeave={() => holdToasts(false)}
      onFocus={() => holdToasts(true)}
      onBlur={() => holdToasts(false)}
      className={classNames("flex max-h-[40dvh] shrink-0 flex-col gap-1.5 overflow-y-auto", !empty && "p-1.5")}
    >
      {shown.map((toast) => (
        <ToastLine key={toast.id} toast={toast} />
      ))}
    </output>
  );
}

function ToastLine({ toast }: { readonly toast: Toast }) {
  const place = useFocusOnLeave<HTMLDivElement>();
  return (
    <div
      ref={place}
      className={classNames(
        "flex items-center gap-1 rounded-ui border bg-raised py-1 pr-1 pl-3",
        toast.tone === "bad" ? "border-bad text-bad" : "border-line-strong",
      )}
    >
      <span dir="auto" className="min-w-0 flex-1 text-left [overflow-wrap:anywhere]">
        {toast.text}
      </span>
      {toast.undo && (
        <Button tone="plain" onClick={() => undoToast(toast.id)}>
          Undo
        </Button>
      )}
      <IconButton label="Dismiss" icon={X} onClick={() => dismissToast(toast.id)} />
    </div>
  );
}
