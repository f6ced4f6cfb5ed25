import { statfs } from "node:fs/promises";
import { AppError } from "@handrail/protocol/errors";
import type { Defaults, Finding, ModelSetting } from "@handrail/protocol/settings";
import type { BackendName } from "@handrail/protocol/sources";
import { cookieText } from "../auth/cookies.ts";
import { LOCAL_USER } from "../auth/identify.ts";
import type { RateLimit } from "../auth/rate-limit.ts";
import { SESSION_LIFE_MS, type Sessions } from "../auth/sessions.ts";
import type { SignInTokens } from "../auth/sign-in-tokens.ts";
import type { Backends, Models } from "../conversations/ports.ts";
import { listFolders } from "../folders.ts";
import type { Asked, Handlers } from "../http/handlers.ts";
import type { ModelSettings } from "../settings/model-settings.ts";

type Names =
  | "signIn"
  | "session"
  | "signOut"
  | "createSignInToken"
  | "settings"
  | "saveModel"
  | "removeModel"
  | "testModel"
  | "doctor"
  | "folders"
  | "healthz"
  | "readyz";

export type ServerHandlerParts = {
  readonly tokens: SignInTokens;
  readonly sessions: Sessions;
  readonly signInLimit: RateLimit;
  readonly cookie: { readonly name: string; readonly secure: boolean };
  readonly signedOut: (session: string) => void;
  readonly version: string;
  readonly home: string;
  /** How long a request of a sandbox waits for an answer. */
  readonly askHoldMs: number;
  readonly localSources: boolean;
  readonly linkFor: (token: string) => string;
  readonly models: Models;
  readonly settings: ModelSettings;
  readonly backends: Pick<Backends, "health">;
  readonly defaults: Omit<Defaults, "model" | "backend"> & { readonly backend: BackendName | undefined };
  readonly testModel: (setting: ModelSetting, signal: AbortSignal) => ReturnType<Handlers["testModel"]>;
  readonly doctor: (signal: AbortSignal) => Promise<Finding[]>;
  /** Why the server takes no work now; undefined when it does. */
  readonly unready: () => "stopping" | "storage_full" | undefined;
};

const LINK_LIFE_MS = 10 * 60_000;
const ENOUGH_DISK_BYTES = 64 * 1024 ** 2;

export function serverHandlers(parts: ServerHandlerParts): Pick<Handlers, Names> {
  const { models, settings, backends } = parts;
  return {
    ...sessionHandlers(parts),
    async settings({ signal }) {
      const [list, health] = await Promise.all([models.list(), backends.health(signal)]);
      const { backend, ...defaults } = parts.defaults;
      const works = backend ?? health.find((one) => one.works && one.name !== "none")?.name ?? null;
      return {
        models: [...list],
        backends: [...health],
        defaults: { ...defaults, model: await models.defaultId(), backend: works },
      };
    },
    saveModel: async ({ body }) => settings.save(body),
    async removeModel() {
      await settings.remove();
      return {};
    },
    testModel: async ({ body, signal }) => parts.testModel(await settings.withStoredKey(body), signal),
    doctor: async ({ signal }) => ({ findings: await parts.doctor(signal) }),
    folders: async ({ query }) => {
      if (!parts.localSources) throw new AppError("forbidden", "Folders of this machine are not offered here.");
      return listFolders(query.path);
    },
    healthz: async () => ({ status: "ok" }),
    readyz: () => readyz(parts),
  };
}

function sessionHandlers(
  parts: ServerHandlerParts,
): Pick<Handlers, "signIn" | "session" | "signOut" | "createSignInToken"> {
  const { tokens, sessions, cookie } = parts;
  const setCookie = (asked: Pick<Asked<"signIn">, "header">, value: string, maxAgeS: number) =>
    asked.header("set-cookie", cookieText(cookie.name, value, { maxAgeS, secure: cookie.secure }));
  return {
    async signIn(asked) {
      if (!parts.signInLimit(asked.address)) {
        throw new AppError("too_many_attempts", "Too many attempts to sign in. Wait a minute and try again.");
      }
      tokens.redeem(asked.body.token);
      setCookie(asked, await sessions.start(LOCAL_USER), SESSION_LIFE_MS / 1000);
      return { userId: LOCAL_USER };
    },
    session: async ({ identity }) => ({
      userId: identity.userId,
      teams: [...identity.teams],
      version: parts.version,
      homeDirectory: parts.home,
      askHoldMs: parts.askHoldMs,
    }),
    async signOut(asked) {
      const { session } = asked.identity;
      if (session !== undefined) {
        await sessions.end(session);
        parts.signedOut(session);
      }
      setCookie(asked, "", 0);
      return {};
    },
    async createSignInToken() {
      const { token, expiresAt } = tokens.mint(LINK_LIFE_MS);
      return { token, url: parts.linkFor(token), expiresAt };
    },
  };
}

/** A disk that was full is looked at again: without a write, nothing else would tell that there is space. */
async function readyz({ unready, home }: ServerHandlerParts): Promise<{ status: string }> {
  const reason = unready();
  if (reason === undefined) return { status: "ok" };
  if (reason === "stopping")
    throw new AppError("server_stopping", "The server is stopping. Try again once it runs again.");
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize > ENOUGH_DISK_BYTES) return { status: "ok" };
  throw new AppError("storage_full", "The disk of the state directory is full: nothing can be written.", { reason });
}
