import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { AppShell } from "./screens/app-shell.tsx";
import { BrokenPart } from "./screens/broken-part.tsx";
import { ConversationScreen } from "./screens/conversation-screen.tsx";
import { HomeScreen } from "./screens/home-screen.tsx";
import { NewConversationScreen } from "./screens/new-conversation-screen.tsx";
import { NotFoundScreen } from "./screens/not-found-screen.tsx";
import { KeysScreen } from "./screens/gateway/keys-screen.tsx";
import { LimitsScreen } from "./screens/gateway/limits-screen.tsx";
import { ModelsScreen } from "./screens/gateway/models-screen.tsx";
import { SpendScreen } from "./screens/gateway/spend-screen.tsx";
import { GeneralScreen } from "./screens/settings/general-screen.tsx";
import { NetworkRulesScreen } from "./screens/settings/network-rules-screen.tsx";
import { SecretsScreen } from "./screens/settings/secrets-screen.tsx";
import { SetupsScreen } from "./screens/settings/setups-screen.tsx";
import { SettingsFrame } from "./screens/settings/settings-frame.tsx";
import { readSpendPlace } from "./state/spend-place.ts";
import { readPlace } from "./state/place.ts";

const rootRoute = createRootRoute({ component: AppShell, notFoundComponent: NotFoundScreen });

const settingsRoute = createRoute({ getParentRoute: () => rootRoute, path: "/settings", component: SettingsFrame });

const routes = [
  createRoute({ getParentRoute: () => rootRoute, path: "/", component: HomeScreen }),
  createRoute({ getParentRoute: () => rootRoute, path: "/new", component: NewConversationScreen }),
  settingsRoute.addChildren([
    createRoute({ getParentRoute: () => settingsRoute, path: "/", component: GeneralScreen }),
    createRoute({ getParentRoute: () => settingsRoute, path: "/models", component: ModelsScreen }),
    createRoute({ getParentRoute: () => settingsRoute, path: "/keys", component: KeysScreen }),
    createRoute({ getParentRoute: () => settingsRoute, path: "/limits", component: LimitsScreen }),
    createRoute({
      getParentRoute: () => settingsRoute,
      path: "/spend",
      component: SpendScreen,
      validateSearch: readSpendPlace,
    }),
    createRoute({ getParentRoute: () => settingsRoute, path: "/secrets", component: SecretsScreen }),
    createRoute({ getParentRoute: () => settingsRoute, path: "/network", component: NetworkRulesScreen }),
    createRoute({ getParentRoute: () => settingsRoute, path: "/setups", component: SetupsScreen }),
  ]),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/conversations/$conversationId",
    component: ConversationScreen,
    validateSearch: readPlace,
  }),
] as const;

/** Every place of the page by its URL. */
export const router = createRouter({
  routeTree: rootRoute.addChildren(routes),
  defaultPreload: false,
  // What a place does not know of a URL it does not get.
  search: { strict: true },
  defaultErrorComponent: BrokenPart,
});

declare module "@tanstack/react-router" {
  // The router's own way of being told the routes.
  // oxlint-disable-next-line typescript/consistent-type-definitions
  interface Register {
    router: typeof router;
  }
  // oxlint-disable-next-line typescript/consistent-type-definitions
  interface HistoryState {
    /** A dialog was opened above the entry before. */
    opened?: boolean;
  }
}
