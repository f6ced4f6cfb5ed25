import { createServer, type ServerResponse } from "node:http";

/**
 * A program: the least that answers as OpenAI's chat does, whole or as a stream of 52 writes, one every 10 ms for the user
 * `paced`. It listens on `PORT`.
 */
const usage = { prompt_tokens: 20, completion_tokens: 50, total_tokens: 70 };
const head = { id: "chatcmpl-bench", created: 1_700_000_000, model: "bench" };
const message = { role: "assistant", content: "word ".repeat(100) };
const whole = Buffer.from(
  JSON.stringify({
    ...head,
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage,
  }),
);

const event = (choices: readonly object[], more: object = {}) =>
  `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...more })}\n\n`;
const piece = event([{ index: 0, delta: { content: "word " }, finish_reason: null }]);
const stream = [
  event([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]),
  ...Array.from({ length: 48 }, () => piece),
  event([{ index: 0, delta: {}, finish_reason: "stop" }]),
  event([], { usage }),
  "data: [DONE]\n\n",
];

function writePaced(response: ServerResponse): void {
  const left = stream.values();
  const timer = setInterval(() => {
    const next = left.next();
    if (!next.done) {
      response.write(next.value);
      return;
    }
    clearInterval(timer);
    response.end();
  }, 10);
}

createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (bytes: Buffer) => parts.push(bytes));
  request.on("end", () => {
    const body = Buffer.concat(parts);
    if (!body.includes('"stream":true')) {
      response.writeHead(200, { "content-type": "application/json", "content-length": whole.length }).end(whole);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (body.includes('"user":"paced"')) {
      writePaced(response);
      return;
    }
    for (const text of stream) response.write(text);
    response.end();
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1");
