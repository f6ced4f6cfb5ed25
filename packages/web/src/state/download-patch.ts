import type { Client } from "@handrail/client/create-client";

/** Saves everything changed as a patch file. */
export async function downloadPatch(client: Client, conversationId: string): Promise<void> {
  const response = await client.patch({ params: { id: conversationId } });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = `handrail-${conversationId.slice(-8)}.patch`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
