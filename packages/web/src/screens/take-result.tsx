import { changedFiles } from "@handrail/protocol/file-changes";
import { Download, FolderInput, GitBranch, PackageOpen, Upload } from "lucide-react";
import { useState } from "react";
import { Button } from "../components/button.tsx";
import { Menu, type MenuItem } from "../components/menu.tsx";
import type { ConversationView } from "../state/conversation-store.ts";
import { downloadPatch } from "../state/download-patch.ts";
import { useServices } from "../state/services.ts";
import { report } from "../state/toasts.ts";
import { type Delivery, DeliverDialog } from "./deliver-dialog.tsx";

type TakeProps = { readonly conversationId: string; readonly view: ConversationView };

/** The ways to take the result out. */
export function TakeResult({ conversationId, view }: TakeProps) {
  const { client } = useServices();
  const [delivery, setDelivery] = useState<Delivery | null>(null);
  const source = view.state?.source;
  const items: readonly (MenuItem | false)[] = [
    { label: "Download a patch", icon: Download, onSelect: () => report(downloadPatch(client, conversationId)) },
    source?.type === "folder" && {
      label: "Apply to the folder",
      icon: FolderInput,
      onSelect: () => setDelivery({ kind: "apply", folder: source.path }),
    },
    source?.type !== "empty" && {
      label: "Commit to a branch",
      icon: GitBranch,
      onSelect: () => setDelivery({ kind: "branch" }),
    },
    source?.type === "git" && {
      label: "Commit and push",
      icon: Upload,
      onSelect: () => setDelivery({ kind: "push", url: source.url }),
    },
  ];
  if (changedFiles(view.files) === 0) return null;
  return (
    <>
      <Menu
        trigger={
          <Button icon={PackageOpen} aria-label="Take the result">
            <span className="max-md:hidden">Take the result</span>
          </Button>
        }
        items={items.filter((item) => item !== false)}
      />
      {delivery !== null && (
        <DeliverDialog
          conversationId={conversationId}
          title={view.state?.title ?? ""}
          delivery={delivery}
          onClose={() => setDelivery(null)}
        />
      )}
    </>
  );
}
