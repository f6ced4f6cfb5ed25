import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

type ConfirmProps = {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
};

/** Asks before something that cannot be taken back. */
export function Confirm({ title, text, action, open, onClose, onConfirm }: ConfirmProps) {
  const confirm = () => {
    onClose();
    onConfirm();
  };
  return (
    <Dialog title={title} open={open} onClose={onClose}>
      <p className="text-prose">{text}</p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" onClick={confirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
