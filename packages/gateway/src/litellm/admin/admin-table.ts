/**
 * LiteLLM's management routes; `own`: an ordinary key may ask for what is its own. What answers them is loaded with the first request.
 */
export const ADMIN_TABLE = {
  "POST /key/generate": { own: false },
  "POST /key/update": { own: false },
  "POST /key/delete": { own: false },
  "POST /key/regenerate": { own: false },
  "POST /key/block": { own: false },
  "POST /key/unblock": { own: false },
  "GET /key/info": { own: true },
  "GET /key/list": { own: false },
  "POST /user/new": { own: false },
  "POST /user/update": { own: false },
  "GET /user/info": { own: true },
  "POST /team/new": { own: false },
  "POST /team/update": { own: false },
  "GET /team/info": { own: true },
  "GET /team/list": { own: false },
  "GET /model/info": { own: true },
  "GET /v1/model/info": { own: true },
  "GET /model_group/info": { own: true },
  "GET /health": { own: false },
  "GET /cache/ping": { own: false },
  "GET /spend/logs": { own: true },
  "GET /global/spend": { own: false },
  "GET /customer/info": { own: false },
  "GET /end_user/info": { own: false },
} as const satisfies Readonly<Record<`${"GET" | "POST"} /${string}`, { readonly own: boolean }>>;

/** A method and a path. */
export type AdminRouteName = keyof typeof ADMIN_TABLE;
