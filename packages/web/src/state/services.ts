import { type Client, createClient } from "@handrail/client/create-client";
import type { ConnectionState } from "@handrail/client/connection";
import { openSocket, type Socket } from "@handrail/client/open-socket";
import type { ConversationSummary } from "@handrail/protocol/summary";
import { QueryClient } from "@tanstack/react-query";
import { createContext, useContext, useSyncExternalStore } from "react";
import { AppError } from "@handrail/protocol/errors";
import { type ConversationStore, conversationStore } from "./conversation-store.ts";
import { replaceSummary } from "./conversation-queries.ts";
import { showError } from "./toasts.ts";
import { valueStore, type ValueStore } from "./value-store.ts";

/** Everything on the page that talks to the server. One for the page's life. */
export type Services = {
  readonly client: Client;
  readonly queries: QueryClient;
  readonly socket: () => Socket;
  readonly connection: ValueStore<ConnectionState>;
  readonly store: (conversationId: string) => ConversationStore;
};

/** Services on the page's own origin. The socket opens at first use, so after signing in. */
export function pageServices(): Services {
  const client = createClient({ baseUrl: "" });
  const queries = new QueryClient({
    defaultOptions: {
      queries: { retry: (failures, error) => failures < 2 && isRetryable(error), staleTime: 5_000 },
    },
  });
  const connection = valueStore<ConnectionState>({ status: "connecting" });
  const stores = new Map<string, ConversationStore>();
  let socket: Socket | undefined;
  return {
    client,
    queries,
    connection,
    socket: () => (socket ??= liveSocket({ connection, queries, stores })),
    store: (conversationId) => keptStore(stores, conversationId),
  };
}

type Live = {
  readonly connection: ValueStore<ConnectionState>;
  readonly queries: QueryClient;
  readonly stores: ReadonlyMap<string, ConversationStore>;
};

function liveSocket({ connection, queries, stores }: Live): Socket {
  const onState = (state: ConnectionState) => {
    const before = connection.get().status;
    connection.set(state);
    if (state.status === "connected" && before === "offline") queries.invalidateQueries().catch(() => {});
    if (state.status === "offline") for (const store of stores.values()) store.dropFragments();
  };
  const onSummary = (id: string, summary: ConversationSummary | null) => replaceSummary(queries, id, summary);
  const socket = openSocket({ baseUrl: location.origin, onState, onSummary, onError: showError });
  addEventListener("online", () => socket.retryNow());
  document.addEventListener("visibilitychange", () => document.hidden || socket.retryNow());
  return socket;
}

/** How many conversations stay in memory after they were looked at. */
const KEPT_STORES = 8;

function keptStore(stores: Map<string, ConversationStore>, conversationId: string): ConversationStore {
  const store = stores.get(conversationId) ?? conversationStore(beforeNextFrame);
  stores.delete(conversationId);
  stores.set(conversationId, store);
  const oldest = stores.keys().next().value;
  if (stores.size > KEPT_STORES && oldest !== undefined) stores.delete(oldest);
  return store;
}

/** Before the next frame; in a hidden page, where no frame comes, and during a replay, soon. */
function beforeNextFrame(flush: () => void, replaying: boolean): void {
  if (document.hidden || replaying) setTimeout(flush, 200);
  else requestAnimationFrame(flush);
}

const isRetryable = (error: unknown) => !(error instanceof AppError) || error.retryable;

/** Carries the services to every component. */
export const ServicesContext = createContext<Services | null>(null);

/** The page's services. @throws Error outside the context */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error("No services around this component.");
  return services;
}

/** How the live connection stands now. */
export function useConnection(): ConnectionState {
  const { connection } = useServices();
  return useSyncExternalStore(connection.subscribe, connection.get);
}
