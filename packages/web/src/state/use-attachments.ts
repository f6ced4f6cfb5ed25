import type { Client } from "@handrail/client/create-client";
import { ImageMediaType, type ContentPart, type ImagePart } from "@handrail/protocol/content";
import { toBase64 } from "@handrail/client/output-stream";
import { useCallback, useState } from "react";
import { useServices } from "./services.ts";
import { showError, showToast } from "./toasts.ts";

/** An image that goes with the next message. `preview` is a blob URL. */
export type Attachment = { readonly part: ImagePart; readonly preview: string; readonly name: string };

export const MAX_IMAGE_BYTES = 10_000_000;

/** Images that wait to be sent: pasted, dropped or chosen, and uploaded at once. */
export function useAttachments() {
  const { client } = useServices();
  const [attached, setAttached] = useState<readonly Attachment[]>([]);
  const [uploading, setUploading] = useState(0);
  const add = useCallback(
    (files: Iterable<File>) => {
      for (const file of files) {
        setUploading((count) => count + 1);
        upload(client, file)
          .then((attachment) => attachment && setAttached((all) => [...all, attachment]))
          .catch(showError)
          .finally(() => setUploading((count) => count - 1));
      }
    },
    [client],
  );
  const remove = (attachment: Attachment) => {
    URL.revokeObjectURL(attachment.preview);
    setAttached((all) => all.filter((other) => other !== attachment));
  };
  const clear = () => setAttached([]);
  return { attached, uploading, add, remove, clear };
}

export type Attachments = ReturnType<typeof useAttachments>;

async function upload(client: Client, file: File): Promise<Attachment | null> {
  const mediaType = ImageMediaType.safeParse(file.type);
  if (!mediaType.success || file.size > MAX_IMAGE_BYTES) {
    showToast(`${file.name}: PNG, JPEG, GIF or WebP of at most 10 MB can be sent.`, "bad");
    return null;
  }
  const data = toBase64(new Uint8Array(await file.arrayBuffer()));
  const { blob } = await client.uploadBlob({ body: { mediaType: mediaType.data, data } });
  const part: ImagePart = { type: "image", blob, mediaType: mediaType.data };
  return { part, preview: URL.createObjectURL(file), name: file.name };
}

/** A message's content: its text, then its images. Empty when there is neither. */
export function contentOf(text: string, attached: readonly Attachment[]): ContentPart[] {
  const trimmed = text.trim();
  const images = attached.map((attachment) => attachment.part);
  return trimmed === "" ? images : [{ type: "text", text: trimmed }, ...images];
}
