import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { conversationsQuery } from "../state/conversation-queries.ts";
import type { Command } from "../state/palette.ts";
import type { DialogName, PanelName, Place } from "../state/place.ts";
import { useServices } from "../state/services.ts";
import { chooseTheme, nextTheme, theme } from "../state/theme.ts";
import { report } from "../state/toasts.ts";

/** What the palette can do from here: actions first, then every conversation. */
export function useCommands(onHelp: () => void): readonly Command[] {
  const navigate = useNavigate();
  return [
    { id: "new", name: "New conversation", keys: "c", run: () => report(navigate({ to: "/new" })) },
    {
      id: "settings",
      name: "Settings: models, keys, spend, secrets, network, this machine",
      keys: "",
      run: () => report(navigate({ to: "/settings" })),
    },
    { id: "theme", name: "Change the theme", keys: "", run: () => chooseTheme(nextTheme(theme.get())) },
    { id: "help", name: "Show all keys", keys: "?", run: onHelp },
    ...usePanelCommands(),
    ...useConversationCommands(),
  ];
}

const PANEL_COMMANDS: readonly { readonly panel: PanelName; readonly name: string; readonly keys: string }[] = [
  { panel: "changes", name: "Show changes", keys: "g c" },
  { panel: "files", name: "Show files", keys: "g f" },
  { panel: "terminal", name: "Show terminal", keys: "g t" },
  { panel: "preview", name: "Show preview", keys: "g p" },
  { panel: "network", name: "Show network", keys: "g n" },
  { panel: "log", name: "Show log", keys: "g l" },
];

function usePanelCommands(): readonly Command[] {
  const navigate = useNavigate();
  if (!location.pathname.startsWith("/conversations/")) return [];
  const openDialog = (dialog: DialogName) =>
    report(navigate({ to: ".", search: (place: Place): Place => ({ ...place, dialog }), state: { opened: true } }));
  const settings: Command = {
    id: "conversation-settings",
    name: "Change the conversation's model, network and limits",
    keys: "g s",
    run: () => openDialog("settings"),
  };
  const panels = PANEL_COMMANDS.map(({ panel, name, keys }) => ({
    id: panel,
    name,
    keys,
    run: () => report(navigate({ to: ".", search: { panel } })),
  }));
  const checkpoints: Command = {
    id: "checkpoints",
    name: "Go back to a checkpoint, or fork from one",
    keys: "g k",
    run: () => openDialog("checkpoints"),
  };
  return [...panels, settings, checkpoints];
}

function useConversationCommands(): readonly Command[] {
  const navigate = useNavigate();
  const { client } = useServices();
  const list = useInfiniteQuery(conversationsQuery(client, "", false));
  const rows = list.data?.pages.flatMap((page) => page.conversations) ?? [];
  return rows.map(({ id, title }) => ({
    id,
    name: title,
    keys: "",
    run: () => report(navigate({ to: "/conversations/$conversationId", params: { conversationId: id } })),
  }));
}
