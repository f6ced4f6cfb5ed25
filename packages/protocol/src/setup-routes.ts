import { z } from "zod";
import type { Route } from "./route.ts";
import { KeptSetupRow } from "./setup.ts";

const Forgotten = z.object({ forgotten: z.number().int().nonnegative() });

/** Kept results of set-ups, of the signed-in user. */
export const SETUP_ROUTES = {
  setups: {
    method: "GET",
    path: "/api/setups",
    access: "session",
    summary: "Kept results of set-ups of your repositories, latest used first",
    response: z.object({ setups: z.array(KeptSetupRow) }),
    status: 200,
  },
  forgetSetups: {
    method: "DELETE",
    path: "/api/setups",
    access: "session",
    summary: "Forget all of them: the next conversations are set up from nothing",
    response: Forgotten,
    status: 200,
  },
  forgetSetup: {
    method: "DELETE",
    path: "/api/setups/:id",
    access: "session",
    summary: "Forget one of them",
    params: z.strictObject({ id: KeptSetupRow.shape.id }),
    response: Forgotten,
    status: 200,
  },
} as const satisfies Record<string, Route>;
