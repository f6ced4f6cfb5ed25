import type { ModelInfo } from "@handrail/protocol/settings";
import type { Client } from "@handrail/client/create-client";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useServices } from "./services.ts";

/** Who is signed in. */
export const sessionQuery = (client: Client) =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => client.session({ signal }),
    staleTime: Infinity,
  });

/** Ids of the teams that the user belongs to. */
export function useTeams(): readonly string[] {
  const { client } = useServices();
  return useQuery(sessionQuery(client)).data?.teams ?? NO_TEAMS;
}

const NO_TEAMS: readonly string[] = [];

/** How long a request of a sandbox waits for an answer, in milliseconds; undefined while it is not known. */
export function useAskHoldMs(): number | undefined {
  const { client } = useServices();
  return useQuery(sessionQuery(client)).data?.askHoldMs;
}

/** Models, backends and defaults. */
export const settingsQuery = (client: Client) =>
  queryOptions({ queryKey: ["settings"], queryFn: ({ signal }) => client.settings({ signal }), staleTime: 30_000 });

/** Models, backends and defaults, kept up to date. */
export function useSettings() {
  const { client } = useServices();
  return useQuery(settingsQuery(client));
}

/** The model with this id; undefined while settings load, and for models that are gone. */
export function useModel(id: string | undefined) {
  return useSettings().data?.models.find((model) => model.id === id);
}

/** Whether a model only plays a script. Known by its id alone, so also before settings are there. */
export const isDemoModel = (id: string): boolean => id === "demo";

/** What the scripted model is called everywhere. */
export const DEMO_LABEL = "Demo, scripted model";

/** Whether the user has set a model that thinks: without one there is only the demo. */
export const hasOwnModel = (models: readonly ModelInfo[]): boolean => models.some((model) => !model.scripted);
