import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>Handrail</title>
<p>Handrail runs, but its page is not built. Start Handrail with <code>npm start</code>, which builds it.</p>
`;

/** Addresses of the page's own screens: they all answer `index.html`. Anything else that is no file is not found. */
export const SCREENS = [
  "/",
  "/new",
  "/settings",
  "/settings/:place",
  "/conversations/:id",
  "/conversations/:id/:panel",
];

/** Whether a person came to an address where nothing is, and not a program: the page then says so. */
export function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  if (method !== "GET" || /^\/(?:api|assets)(?:[/?]|$)/.test(url)) return false;
  return headers.accept?.includes("text/html") === true;
}

/** The page, for addresses of which it alone knows what they are. Status 404, where nothing is there. */
export const sendPage = (reply: FastifyReply, directory: string, status: 200 | 404) =>
  sendIndex(reply, join(directory, "index.html"), status);

/** Serves the built page from `directory`; hashed assets may be cached for good. */
export async function usePage(app: FastifyInstance, directory: string): Promise<void> {
  const assets = join(directory, "assets");
  await app.register(fastifyStatic, {
    root: directory,
    serve: false,
    logLevel: "warn",
  });
  app.get<{ Params: { "*": string } }>("/assets/*", { schema: { hide: true } }, async (request, reply) => {
    if (!existsSync(assets)) return reply.callNotFound();
    return reply.sendFile(request.params["*"], assets, { maxAge: "365d", immutable: true });
  });
  for (const name of ["favicon.ico", "favicon.svg", "icon.svg", "manifest.webmanifest", "robots.txt"]) {
    app.get(`/${name}`, { schema: { hide: true } }, async (_request, reply) => reply.sendFile(name));
  }
  for (const path of SCREENS) {
    app.get(path, { schema: { hide: true } }, (_request, reply) => sendPage(reply, directory, 200));
  }
}

async function sendIndex(reply: FastifyReply, path: string, status: 200 | 404) {
  const html = await readFile(path, "utf8").catch(() => undefined);
  return reply
    .status(html === undefined ? 503 : status)
    .header("content-type", "text/html; charset=utf-8")
    .header("cache-control", "no-cache")
    .send(html ?? NOT_BUILT);
}
