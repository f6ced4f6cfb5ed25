import { z } from "zod";
import { CHECKPOINT_ROUTES } from "./checkpoint-routes.ts";
import { CONVERSATION_ROUTES } from "./conversation-routes.ts";
import { GATEWAY_ROUTES } from "./gateway-routes.ts";
import { NETWORK_ROUTES } from "./network-routes.ts";
import { PREVIEW_ROUTES } from "./preview-routes.ts";
import { Empty, type Route } from "./route.ts";
import { BackendInfo, Defaults, Finding, ModelInfo, ModelSetting, ModelTest } from "./settings.ts";
import { SECRET_ROUTES } from "./secret-routes.ts";
import { SETUP_ROUTES } from "./setup-routes.ts";
import { WORKSPACE_ROUTES } from "./workspace-routes.ts";

/** Signing in, settings, and the server's own state. */
const SERVER_ROUTES = {
  signIn: {
    method: "POST",
    path: "/api/session",
    access: "public",
    summary: "Trade the one-time token for a session cookie",
    body: z.strictObject({ token: z.string().min(1).max(256) }),
    response: z.object({ userId: z.string() }),
    status: 200,
  },
  session: {
    method: "GET",
    path: "/api/session",
    access: "session",
    summary: "Who is signed in, and what this server is",
    response: z.object({
      userId: z.string(),
      /** Ids of the teams that the user belongs to. */
      teams: z.array(z.string()),
      version: z.string(),
      homeDirectory: z.string(),
      /** How long a request of a sandbox waits for an answer, in milliseconds. */
      askHoldMs: z.number().optional(),
    }),
    status: 200,
  },
  signOut: {
    method: "DELETE",
    path: "/api/session",
    access: "session",
    summary: "Sign out",
    response: Empty,
    status: 200,
  },

  createSignInToken: {
    method: "POST",
    path: "/api/session/token",
    access: "session",
    summary: "A new one-time token, and the link that carries it",
    response: z.object({ token: z.string(), url: z.string(), expiresAt: z.number() }),
    status: 201,
  },

  settings: {
    method: "GET",
    path: "/api/settings",
    access: "session",
    summary: "Models, sandbox backends and defaults",
    response: z.object({ models: z.array(ModelInfo), backends: z.array(BackendInfo), defaults: Defaults }),
    status: 200,
  },
  saveModel: {
    method: "PUT",
    path: "/api/settings/model",
    access: "session",
    summary: "Set the model; an absent key keeps the stored one",
    body: ModelSetting,
    response: ModelInfo,
    status: 200,
  },
  removeModel: {
    method: "DELETE",
    path: "/api/settings/model",
    access: "session",
    summary: "Forget the model and its key",
    response: Empty,
    status: 200,
  },
  testModel: {
    method: "POST",
    path: "/api/settings/model/test",
    access: "session",
    summary: "Make one real call with these settings and say what came of it",
    body: ModelSetting,
    response: ModelTest,
    status: 200,
  },
  doctor: {
    method: "GET",
    path: "/api/doctor",
    access: "session",
    summary: "What works on the server's machine, and what to do about what does not",
    response: z.object({ findings: z.array(Finding) }),
    status: 200,
  },
  folders: {
    method: "GET",
    path: "/api/folders",
    access: "session",
    summary: "Folders on the server's machine, for choosing one",
    query: z.strictObject({ path: z.string().max(4096).optional() }),
    response: z.object({
      path: z.string(),
      parent: z.string().nullable(),
      git: z.boolean(),
      folders: z.array(z.object({ name: z.string(), path: z.string(), git: z.boolean() })),
    }),
    status: 200,
  },

  healthz: {
    method: "GET",
    path: "/healthz",
    access: "public",
    summary: "The process is up",
    response: z.object({ status: z.literal("ok") }),
    status: 200,
  },
  readyz: {
    method: "GET",
    path: "/readyz",
    access: "public",
    summary: "The server takes work; 503 while it drains, 507 while the disk is full",
    response: z.object({ status: z.string() }),
    status: 200,
  },
} as const satisfies Record<string, Route>;

/** Every HTTP route: the server registers from this table and the client is typed by it. OpenAPI is its output. */
export const ROUTES = {
  ...SERVER_ROUTES,
  ...CONVERSATION_ROUTES,
  ...WORKSPACE_ROUTES,
  ...PREVIEW_ROUTES,
  ...NETWORK_ROUTES,
  ...SECRET_ROUTES,
  ...CHECKPOINT_ROUTES,
  ...GATEWAY_ROUTES,
  ...SETUP_ROUTES,
} as const;

export type Routes = typeof ROUTES;
export type RouteName = keyof Routes;
