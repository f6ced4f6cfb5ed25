import type { ImagePart } from "@handrail/protocol/content";

type ImageType = ImagePart["mediaType"];

/** The media type that an image's first bytes tell (WHATWG MIME Sniffing §6.1); undefined for anything else. */
export function imageType(bytes: Buffer): ImageType | undefined {
  const head = bytes.subarray(0, 12).toString("latin1");
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) return "image/gif";
  return head.startsWith("RIFF") && head.endsWith("WEBP") ? "image/webp" : undefined;
}
