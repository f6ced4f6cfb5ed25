import { z } from "zod";

/** `sha256:` and 64 hexadecimal digits: bytes kept beside the log, named by their content. */
export const BlobRef = z.string().regex(/^sha256:[0-9a-f]{64}$/);

export const TextPart = z.strictObject({ type: z.literal("text"), text: z.string() });

/** Image media types that every supported model API takes. */
export const ImageMediaType = z.enum(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export const ImagePart = z.strictObject({ type: z.literal("image"), blob: BlobRef, mediaType: ImageMediaType });

/** What a user or a tool says: text and images, in order. */
export const ContentPart = z.discriminatedUnion("type", [TextPart, ImagePart]);

/**
 * A call as the model asked for it. `arguments` is the model's own text, byte for byte, so that the prompt's prefix
 * stays the same; it need not be valid JSON. `providerId` is the id that the model's API gave the call.
 */
export const CallPart = z.strictObject({
  type: z.literal("call"),
  callId: z.string(),
  providerId: z.string(),
  tool: z.string(),
  arguments: z.string(),
  provider: z.json().optional(),
});

/** Reasoning. `provider` is what the model's API needs back unchanged (a signature, an encrypted block). */
export const ReasoningPart = z.strictObject({
  type: z.literal("reasoning"),
  text: z.string(),
  provider: z.json().optional(),
});

/** What a model said in one step, in its order. */
export const StepPart = z.discriminatedUnion("type", [TextPart, ReasoningPart, CallPart]);

export type TextPart = z.infer<typeof TextPart>;
export type ImagePart = z.infer<typeof ImagePart>;
export type ContentPart = z.infer<typeof ContentPart>;
export type CallPart = z.infer<typeof CallPart>;
export type ReasoningPart = z.infer<typeof ReasoningPart>;
export type StepPart = z.infer<typeof StepPart>;

/** The text of a content, parts joined by line breaks; images are left out. */
export function textOf(content: readonly (ContentPart | StepPart)[]): string {
  return content
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("\n");
}
