/**
 * LiteLLM's management routes, as the gateway answers them within the server and alone: a method and a path. `access` says who may
 * call one. `key`: whoever has a virtual key, about what is its own. `admin`: who has a key that may manage others. Cookies count for
 * none of them. Nothing is imported here: what answers them is loaded with the first request.
 */
export const LITELLM_ROUTES = {
  "POST /key/generate": { access: "admin" },
  "POST /key/update": { access: "admin" },
  "POST /key/delete": { access: "admin" },
  "POST /key/regenerate": { access: "admin" },
  "POST /key/block": { access: "admin" },
  "POST /key/unblock": { access: "admin" },
  "GET /key/info": { access: "key" },
  "GET /key/list": { access: "admin" },
  "POST /user/new": { access: "admin" },
  "POST /user/update": { access: "admin" },
  "GET /user/info": { access: "key" },
  "POST /team/new": { access: "admin" },
  "POST /team/update": { access: "admin" },
  "GET /team/info": { access: "key" },
  "GET /team/list": { access: "admin" },
  "GET /model/info": { access: "key" },
  "GET /v1/model/info": { access: "key" },
  "GET /model_group/info": { access: "key" },
  "GET /health": { access: "admin" },
  "GET /cache/ping": { access: "admin" },
  "GET /spend/logs": { access: "key" },
  "GET /global/spend": { access: "admin" },
  "GET /customer/info": { access: "admin" },
  "GET /end_user/info": { access: "admin" },
} as const satisfies Readonly<Record<`${"GET" | "POST"} /${string}`, { readonly access: "key" | "admin" }>>;

/** A method and a path. */
export type LiteLlmRouteName = keyof typeof LITELLM_ROUTES;
