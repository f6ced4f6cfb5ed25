import { Copy } from "lucide-react";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { report, showToast } from "../../state/toasts.ts";

/** Shows a key the one time that it is known. */
export function NewKeyDialog({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  const copy = async () => {
    await navigator.clipboard.writeText(secret);
    showToast("The key is copied.");
  };
  return (
    <Dialog title="The new key" open onClose={onClose} wide>
      <p className="mb-2">Keep it now: it is not shown again.</p>
      <code className="block rounded-ui border border-line bg-sunken p-2 font-mono [overflow-wrap:anywhere] select-all">
        {secret}
      </code>
      <div className="mt-3 flex justify-end gap-2">
        <Button icon={Copy} onClick={() => report(copy())}>
          Copy
        </Button>
        <Button tone="primary" onClick={onClose}>
          I have kept it
        </Button>
      </div>
    </Dialog>
  );
}
