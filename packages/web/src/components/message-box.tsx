import { ImagePlus, X } from "lucide-react";
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, type ReactNode, type Ref, useRef } from "react";
import type { Attachments } from "../state/use-attachments.ts";
import { IconButton } from "./button.tsx";

type MessageBoxProps = {
  readonly label: string;
  readonly placeholder: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onSend: () => void;
  readonly attachments: Attachments;
  readonly rows: number;
  readonly ref?: Ref<HTMLTextAreaElement>;
  /** Stands at the right of the lower edge. */
  readonly children: ReactNode;
};

/** Where a message is written: Markdown text, and images by paste, drop or choice. Enter sends. */
export function MessageBox({ ref, attachments, onSend, ...props }: MessageBoxProps) {
  const onPaste = (event: ClipboardEvent) => {
    const { files, types } = event.clipboardData;
    // Office programs put a picture of the text beside it.
    if (files.length === 0 || types.includes("text/plain")) return;
    event.preventDefault();
    attachments.add(files);
  };
  const onDrop = (event: DragEvent) => {
    // A text that is dropped goes where it is dropped.
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    attachments.add(event.dataTransfer.files);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    onSend();
  };
  return (
    <div
      className="rounded-ui border border-line-strong bg-raised focus-within:border-accent"
      onDragOver={(event) => event.preventDefault()}
      onDrop={onDrop}
    >
      <textarea
        ref={ref}
        aria-label={props.label}
        placeholder={props.placeholder}
        rows={props.rows}
        style={{ minHeight: props.rows * 24 + 16 }}
        value={props.text}
        onChange={(event) => props.onText(event.target.value)}
        onPaste={onPaste}
        onKeyDown={onKeyDown}
        className="block field-sizing-content max-h-[40dvh] w-full resize-none bg-transparent px-3 py-2 text-prose outline-none max-md:text-[16px]"
      />
      <Previews attachments={attachments} />
      <div className="flex items-center gap-2 px-2 pb-2">
        <ImageChooser attachments={attachments} />
        {attachments.uploading > 0 && <span className="text-small text-ink-2">Uploading {attachments.uploading}</span>}
        <div className="ml-auto flex items-center gap-2">{props.children}</div>
      </div>
    </div>
  );
}

function Previews({ attachments }: { readonly attachments: Attachments }) {
  if (attachments.attached.length === 0) return null;
  return (
    <ul className="flex flex-wrap gap-2 px-3 pb-2" aria-label="Images to send">
      {attachments.attached.map((attachment) => (
        <li key={attachment.preview} className="relative">
          <img
            src={attachment.preview}
            alt={attachment.name}
            className="size-16 rounded-ui border border-line object-cover"
          />
          <span className="absolute -top-2 -right-2 rounded-full border border-line bg-raised">
            <IconButton
              label={`Remove ${attachment.name}`}
              icon={X}
              className="size-6"
              onClick={() => attachments.remove(attachment)}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}

function ImageChooser({ attachments }: { readonly attachments: Attachments }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton label="Add an image" icon={ImagePlus} onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept="image/png,image/jpeg,image/gif,image/webp"
        onChange={(event) => {
          attachments.add(Array.from(event.target.files ?? []));
          event.target.value = "";
        }}
      />
    </>
  );
}
