import { type ClientRequest, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { finished, pipeline } from "node:stream/promises";
import type { Target } from "../host.ts";
import { type Refusal, refusalStatus, refusalText } from "../refusal.ts";
import { checkPush } from "../secrets/check-push.ts";
import type { WithSecrets } from "../secrets/put-secrets.ts";
import { admit, type CarriedConnection, reporter } from "./admit-request.ts";
import { maskedAnswer, maskingOf } from "./masked-answer.ts";
import { requestOptions } from "./request-options.ts";

/** Carries one request and its answer, and reports it. Rejects when a side broke off in the middle. */
export async function carryOpened(
  connection: CarriedConnection,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { begin, finish } = reporter(connection, request);
  const admitted = await admit(connection, request);
  if ("code" in admitted) {
    finish({ refusal: admitted });
    refuse(request, response, admitted);
    return;
  }
  const { rule, put } = admitted;
  const push = put.push === undefined ? undefined : await checkPush(request, put.push);
  if (push !== undefined && "answer" in push) {
    finish({ rule, refusal: push.refusal });
    request.resume();
    await finished(request, { writable: false });
    answerPush(response, push.answer, push.refusal);
    return;
  }
  const unwritten = begin(admitted);
  if (unwritten !== undefined) {
    finish({ refusal: unwritten });
    refuse(request, response, unwritten);
    return;
  }
  let refusal: Refusal | undefined;
  try {
    refusal = await exchange({ connection, request, response, put, head: push?.head });
  } finally {
    finish({ rule, refusal, secrets: put.names });
  }
}

type Exchange = {
  readonly connection: CarriedConnection;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly put: WithSecrets;
  /** What was read of the body already. */
  readonly head: Buffer | undefined;
};

/** Gives the refusal when there was no answer, or none that could be handed on whole. */
async function exchange({ connection, request, response, put, head }: Exchange): Promise<Refusal | undefined> {
  const { agent, target } = connection;
  const outgoing = httpRequest({ ...requestOptions(request, target, put), agent: agent ?? false });
  if (request.headers.expect !== undefined) outgoing.flushHeaders();
  outgoing.once("continue", () => response.writeContinue());
  if (head !== undefined && head.length > 0) outgoing.write(head);
  // Not `pipeline`: a server may answer and close without reading the body, and the client must get that answer.
  request.pipe(outgoing);
  const incoming = await answerOf(outgoing);
  const answer = incoming === undefined ? gone(target) : maskedAnswer(incoming, maskingOf(put, request.method));
  if ("code" in answer) {
    outgoing.destroy();
    refuse(request, response, answer);
    return answer;
  }
  response.sendDate = false;
  response.writeHead(answer.incoming.statusCode ?? 502, answer.reason, [...answer.headers]);
  try {
    await pipeline([answer.incoming, ...answer.through, response]);
  } catch (thrown) {
    if (answer.broken() === undefined) throw thrown;
  }
  request.resume();
  return answer.broken();
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const [status, reason] = refusalStatus(refusal.code);
  response.shouldKeepAlive = false;
  response.writeHead(status, reason, {
    "content-type": "text/plain; charset=utf-8",
    "x-handrail-refused": refusal.code,
  });
  response.end(refusalText(refusal));
  request.resume();
}

function answerPush(response: ServerResponse, answer: Buffer | undefined, refusal: Refusal): void {
  if (answer === undefined) {
    const [status, reason] = refusalStatus(refusal.code);
    response.writeHead(status, reason, { "content-type": "text/plain; charset=utf-8" }).end(refusalText(refusal));
    return;
  }
  response.writeHead(200, { "content-type": "application/x-git-receive-pack-result", "cache-control": "no-cache" });
  response.end(answer);
}

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>();
  outgoing.once("response", resolve);
  outgoing.on("error", () => resolve(undefined));
  outgoing.once("close", () => resolve(undefined));
  return promise;
}

const gone = ({ host }: Target): Refusal => ({
  code: "unreachable",
  message: `${host.name} closed the connection without an answer.`,
});
