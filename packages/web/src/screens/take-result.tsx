import type { WorkspaceSource } from "@handrail/protocol/sources";
import { changedFiles } from "@handrail/protocol/file-changes";
import { Download, FolderInput, GitBranch, PackageOpen, Upload } from "lucide-react";
import { useState } from "react";
import { Button } from "../components/button.tsx";
import { Menu, type MenuItem } from "../components/menu.tsx";
import type { ConversationView } from "../state/conversation-store.ts";
import { downloadPatch } from "../state/download-patch.ts";
import { useServices } from "../state/services.ts";
import { report } from "../state/toasts.ts";
import { useOnline } from "../state/use-known-now.ts";
import { type Delivery, DeliverDialog } from "./deliver-dialog.tsx";

type TakeProps = { readonly conversationId: string; readonly view: ConversationView };

/** The ways to take the result out. */
export function TakeResult({ conversationId, view }: TakeProps) {
  const { client } = useServices();
  const online = useOnline();
  const [delivery, setDelivery] = useState<Delivery | null>(null);
  if (view.state === null || changedFiles(view.files) === 0) return null;
  const download: MenuItem = {
    label: "Download a patch",
    icon: Download,
    onSelect: () => report(downloadPatch(client, conversationId)),
  };
  return (
    <>
      <Menu
        trigger={
          <Button icon={PackageOpen} aria-label="Take the result" disabled={!online}>
            <span className="max-md:hidden">Take the result</span>
          </Button>
        }
        items={[download, ...deliveriesOf(view.state.source, setDelivery)]}
      />
      {delivery !== null && (
        <DeliverDialog
          conversationId={conversationId}
          title={view.state.title}
          delivery={delivery}
          onClose={() => setDelivery(null)}
        />
      )}
    </>
  );
}

/** What can be done with the result where the files came from. */
function deliveriesOf(source: WorkspaceSource, choose: (delivery: Delivery) => void): readonly MenuItem[] {
  if (source.type === "folder") {
    const apply = () => choose({ kind: "apply", folder: source.path });
    const branch = () => choose({ kind: "branch" });
    return [
      { label: "Apply to the folder", icon: FolderInput, onSelect: apply },
      { label: "Commit to a branch", icon: GitBranch, onSelect: branch },
    ];
  }
  if (source.type !== "git") return [];
  const push = () => choose({ kind: "push", url: source.url });
  return [{ label: "Commit and push", icon: Upload, onSelect: push }];
}
