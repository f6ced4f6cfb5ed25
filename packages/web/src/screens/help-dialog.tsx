import { Fragment } from "react";
import { Dialog } from "../components/dialog.tsx";
import { SHORTCUT_HELP } from "../state/shortcuts.ts";

/** Every key that does something. */
export function HelpDialog({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard" open={open} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        {SHORTCUT_HELP.map(({ keys, does }) => (
          <Fragment key={keys}>
            <dt className="font-mono">{keys}</dt>
            <dd className="text-ink-2">{does}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
