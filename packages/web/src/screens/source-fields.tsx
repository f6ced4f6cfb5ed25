import { FolderOpen } from "lucide-react";
import { useState } from "react";
import { Button } from "../components/button.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Choices, TextField } from "../components/field.tsx";
import { FolderBrowser } from "../components/folder-browser.tsx";
import type { ConversationDraft } from "../state/source-draft.ts";

/** A part of the form: what it shows, and how it changes it. */
export type DraftProps = {
  readonly draft: ConversationDraft;
  readonly onChange: (part: Partial<ConversationDraft>) => void;
};

const SOURCES = [
  { value: "folder", label: "Folder on this machine" },
  { value: "git", label: "Git URL" },
  { value: "empty", label: "Empty" },
] as const;

/** Where the workspace's first files come from. */
export function SourceFields({ draft, onChange }: DraftProps) {
  return (
    <div className="flex flex-col gap-3">
      <Choices label="Work on" value={draft.source} options={SOURCES} onValue={(source) => onChange({ source })} />
      {draft.source === "folder" && <FolderField draft={draft} onChange={onChange} />}
      {draft.source === "git" && (
        <div className="grid grid-cols-[1fr_200px] gap-3 max-md:grid-cols-1">
          <TextField
            label="Repository URL"
            placeholder="https://git.example.org/team/project.git"
            hint="Cloned with your own git, so your own credentials work."
            value={draft.url}
            onValue={(url) => onChange({ url })}
          />
          <TextField
            label="Branch"
            placeholder="the default one"
            value={draft.branch}
            onValue={(branch) => onChange({ branch })}
          />
        </div>
      )}
      {draft.source === "empty" && (
        <p className="text-ink-2">The agent starts with nothing and writes its own files.</p>
      )}
    </div>
  );
}

function FolderField({ draft, onChange }: DraftProps) {
  const [browsing, setBrowsing] = useState(false);
  const choose = (folder: string) => {
    onChange({ folder });
    setBrowsing(false);
  };
  return (
    <div className="flex items-start gap-2">
      <TextField
        label="Folder"
        placeholder="/home/you/project"
        hint="Copied into the sandbox. The folder itself stays as it is until you apply the result."
        className="flex-1"
        value={draft.folder}
        onValue={(folder) => onChange({ folder })}
      />
      <Button icon={FolderOpen} className="mt-6 min-h-8" onClick={() => setBrowsing(true)}>
        Browse
      </Button>
      <Dialog title="Choose a folder" open={browsing} onClose={() => setBrowsing(false)} wide>
        <FolderBrowser start={draft.folder} onChoose={choose} />
      </Dialog>
    </div>
  );
}
