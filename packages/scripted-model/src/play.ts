import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "./answer.ts";
import type { Fault, Turn } from "./script.ts";
import type { WireFormat } from "./wire-format.ts";

/** How one answer goes out. `signal` aborts when the client has gone. */
export type Playing = {
  readonly response: ServerResponse;
  readonly format: WireFormat;
  readonly answer: Answer;
  readonly stream: boolean;
  readonly turn: Turn;
  readonly signal: AbortSignal;
};

/** Sends the answer at the turn's pace, or plays the fault. Rejects with the signal's reason when the client leaves. */
export async function play(playing: Playing, fault: Fault | undefined): Promise<void> {
  await pause(playing.turn.delayMs, playing.signal);
  if (fault) return playFault(playing, fault);
  for (const [name, value] of Object.entries(playing.turn.headers ?? {})) playing.response.setHeader(name, value);
  if (!playing.stream) return sendJson(playing.response, 200, playing.format.whole(playing.answer));
  openStream(playing.response);
  await sendPaced(playing);
}

/** Sends a JSON body and ends the answer. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function sendPaced({ response, format, answer, turn, signal }: Playing): Promise<void> {
  const events = format.events(answer);
  if (!turn.chunkDelayMs) {
    response.end(events.join(""));
    return;
  }
  for (const event of events) {
    response.write(event);
    await pause(turn.chunkDelayMs, signal);
  }
  response.end();
}

async function playFault(playing: Playing, fault: Fault): Promise<void> {
  switch (fault.type) {
    case "status":
      return sendStatus(playing, fault);
    case "html":
      playing.response.writeHead(200, { "content-type": "text/html" });
      playing.response.end("<!doctype html><title>Welcome</title><h1>This is a web page</h1>");
      return;
    case "refused":
      playing.response.destroy();
      return;
    case "streamError":
      return sendStreamError(playing, fault);
    case "garbage":
      openStream(playing.response);
      playing.response.end("data: {this is not JSON\n\n\u0000\u0001\n\ndata: [1, 2\n\n");
      return;
    default:
      return playBytes(playing, fault);
  }
}

function sendStatus({ response, format }: Playing, fault: Extract<Fault, { type: "status" }>): void {
  if (fault.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(fault.retryAfterSeconds));
  if (fault.body === undefined) {
    sendJson(response, fault.status, format.error(fault.status, fault.message ?? `Scripted error ${fault.status}`));
    return;
  }
  response.writeHead(fault.status, { "content-type": "application/json" });
  response.end(fault.body);
}

function sendStreamError({ response, format, answer }: Playing, fault: Extract<Fault, { type: "streamError" }>): void {
  openStream(response);
  const events = format.events(answer).slice(0, fault.afterEvents ?? 0);
  response.end([...events, format.errorEvent(fault.message ?? "Scripted overload")].join(""));
}

type ByteFault = Extract<Fault, { type: "stall" | "cut" | "trickle" }>;

/** Faults that are about where in the answer's bytes something happens. */
async function playBytes(playing: Playing, fault: ByteFault): Promise<void> {
  const bytes = answerBytes(playing);
  const { response, signal } = playing;
  if (playing.stream) openStream(response);
  else response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  if (fault.type === "trickle") return trickle(response, bytes, signal);

  const at = fault.afterBytes ?? 0;
  if (at > 0) await written(response, bytes.subarray(0, at));
  if (fault.type === "cut") {
    response.destroy();
  } else {
    await pause(fault.ms, signal);
    response.end(bytes.subarray(at));
  }
}

async function trickle(response: ServerResponse, bytes: Buffer, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length; at += 1) {
    response.write(bytes.subarray(at, at + 1));
    await pause(1, signal);
  }
  response.end();
}

function answerBytes({ format, answer, stream }: Playing): Buffer {
  return Buffer.from(stream ? format.events(answer).join("") : JSON.stringify(format.whole(answer)));
}

function openStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
}

/** Waits until the bytes are with the kernel, so that a cut that follows does not overtake them. */
function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    response.write(bytes, () => resolve());
  });
}

async function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms) await sleep(ms, undefined, { signal });
}
