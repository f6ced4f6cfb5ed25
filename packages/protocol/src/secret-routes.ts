import { z } from "zod";
import { OwnerId } from "./ids.ts";
import { Empty, type Route } from "./route.ts";
import { SecretInfo, SecretInput, SecretName } from "./secrets.ts";

const OneSecret = z.strictObject({ name: SecretName });

/** The secrets of the signed-in user and of the user's teams. A team's secret is another than one of its name. No answer holds a value. */
export const SECRET_ROUTES = {
  secrets: {
    method: "GET",
    path: "/api/secrets",
    access: "session",
    summary: "Names and uses of your secrets and your teams', never their values",
    response: z.object({ secrets: z.array(SecretInfo) }),
    status: 200,
  },
  saveSecret: {
    method: "PUT",
    path: "/api/secrets/:name",
    access: "session",
    summary: "Set a secret; an absent value keeps the stored one",
    params: OneSecret,
    body: SecretInput,
    response: SecretInfo,
    status: 200,
  },
  removeSecret: {
    method: "DELETE",
    path: "/api/secrets/:name",
    access: "session",
    summary: "Forget a secret: yours, or with `team` a team's",
    params: OneSecret,
    query: z.strictObject({ team: OwnerId.optional() }),
    response: Empty,
    status: 200,
  },
} as const satisfies Record<string, Route>;
