import type { Client } from "@handrail/client/create-client";
import { doLater, showError, showToast } from "./toasts.ts";
import { valueStore } from "./value-store.ts";

/** Conversations that are about to be deleted, and so out of sight. */
export const hiddenConversations = valueStore<ReadonlySet<string>>(new Set());

type Named = { readonly id: string; readonly title: string };

/** Archives a conversation at once, with a way back. */
export function archiveConversation(client: Client, { id, title }: Named, archived: boolean): void {
  const change = (value: boolean) => client.changeConversation({ params: { id }, body: { archived: value } });
  change(archived)
    .then(() =>
      showToast(`${archived ? "Archived" : "Brought back"} “${shortTitle(title)}”.`, "plain", () => {
        change(!archived).catch(showError);
      }),
    )
    .catch(showError);
}

const shortTitle = (title: string) => (title.length > 60 ? `${title.slice(0, 59)}…` : title);

/**
 * Deletes a conversation after the time to take it back has gone by, or when the page is left before; it is out of sight
 * at once.
 */
export function deleteConversation(client: Client, { id, title }: Named): void {
  hiddenConversations.set(new Set(hiddenConversations.get()).add(id));
  const show = () => hiddenConversations.set(new Set([...hiddenConversations.get()].filter((other) => other !== id)));
  const remove = () => client.deleteConversation({ params: { id }, keepalive: true });
  doLater(`“${shortTitle(title)}” is deleted with its workspace when this line goes.`, remove, show);
}
