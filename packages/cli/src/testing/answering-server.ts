import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { AppError } from "@handrail/protocol/errors";
import { problemOf } from "@handrail/protocol/problem";
import { runCli } from "../run-cli.ts";
import { capturedScreen } from "./captured-screen.ts";

export type AnsweringServer = {
  readonly url: string;
  /** Method and path with its query, and the body; the session's own are left out. */
  readonly requests: unknown[];
  /** Runs a command line in a state directory that says that this server runs. */
  run(argv: readonly string[], input?: NodeJS.ReadableStream): Promise<{ code: number; out: string; err: string }>;
  close(): void;
};

const SESSION = { userId: "local", teams: [], version: "1", homeDirectory: "/" };

/** A server on loopback that gives fixed answers, by `METHOD /path` or by the method alone; an error is a refusal. */
export async function answeringServer(answers: Readonly<Record<string, unknown>>): Promise<AnsweringServer> {
  const requests: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "" } = request;
    const { pathname, search } = new URL(request.url ?? "", "http://localhost");
    const body = await text(request);
    const session = pathname === "/api/session";
    if (!session) requests.push([`${method} ${pathname}${search}`, body === "" ? null : JSON.parse(body)]);
    response.setHeader("content-type", "application/json");
    const given = session ? SESSION : (answers[`${method} ${pathname}`] ?? answers[method]);
    const problem = given instanceof AppError ? problemOf(given) : undefined;
    if (problem !== undefined) response.statusCode = problem.status;
    response.end(JSON.stringify(problem ?? given));
  };
  const home = mkdtempSync(path.join(tmpdir(), "handrail-cli-"));
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(path.join(home, "server.json"), JSON.stringify({ url, token: "t", pid: process.pid }));
  return {
    url,
    requests,
    async run(argv, input) {
      const screen = capturedScreen();
      const interrupts = { signal: new AbortController().signal, release: () => {} };
      const code = await runCli(argv, { screen, cwd: home, home, interrupts, ...(input && { input }) });
      return { code, ...screen.written };
    },
    close() {
      server.close();
      rmSync(home, { recursive: true });
    },
  };
}
