import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { type FixtureOptions, type GatewayFixture, scripted, startGateway } from "../testing/gateway-fixture.ts";
import { handWrittenProvider, heldProvider } from "../testing/hand-written-provider.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const CHAT = "/v1/chat/completions";
const ASK = { model: "m", messages: [{ role: "user", content: "hi" }] };

async function gateway(options: Partial<FixtureOptions> = {}): Promise<GatewayFixture> {
  const up = await scripted({ text: "Hello" });
  ends.push(() => up.close());
  const way = await startGateway({ deployments: [{ baseUrl: up.baseUrl }], ...options });
  ends.push(() => way.close());
  return way;
}

const PACKED = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;

for (const [encoding, pack] of Object.entries(PACKED)) {
  test(`a request in ${encoding} is unpacked, and goes on as it was`, async () => {
    const bodies: string[] = [];
    const { baseUrl, close } = await handWrittenProvider((response, body) => {
      bodies.push(body);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices: [] }));
    });
    ends.push(close);
    const way = await gateway({ deployments: [{ baseUrl, model: "m" }] });
    const body = JSON.stringify(ASK);
    const answer = await way.post(CHAT, pack(Buffer.from(body)), { "content-encoding": encoding });
    expect([answer.status, bodies]).toEqual([200, [body]]);
    expect((await way.post(CHAT, Buffer.from("no"), { "content-encoding": encoding })).status).toBe(400);
  });

  test(`an answer in ${encoding} is unpacked, whole or streamed, and is counted`, async () => {
    const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
    const usage = { prompt_tokens: 7, completion_tokens: 3 };
    const whole = JSON.stringify({ id: "c", choices: [{ message: { content: "Hello" } }], usage });
    const streamed =
      event({ id: "c", choices: [{ index: 0, delta: { content: "Hello" } }] }) +
      event({ id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage }) +
      "data: [DONE]\n\n";
    const { baseUrl, close } = await handWrittenProvider((response, body) => {
      const { stream } = JSON.parse(body) as { readonly stream?: boolean };
      response.writeHead(200, {
        "content-type": stream ? "text/event-stream" : "application/json",
        "content-encoding": encoding,
      });
      response.end(pack(Buffer.from(stream ? streamed : whole)));
    });
    ends.push(close);
    const way = await gateway({ deployments: [{ baseUrl }] });
    for (const stream of [false, true]) {
      const answer = await way.post(CHAT, { ...ASK, stream, stream_options: { include_usage: true } });
      expect(answer.headers.get("content-encoding")).toBe(null);
      expect(await answer.text()).toBe(stream ? streamed : whole);
    }
    const counted = { outcome: "ok", estimated: false, usage: { inputTokens: 7, outputTokens: 3 } };
    expect(way.books.entries()).toMatchObject([counted, counted]);
  });
}

test("a body that would become too large, or comes in an unknown way, is refused before all of it is there", async () => {
  const way = await gateway({ limits: { maxBodyBytes: 1024 * 1024 } });
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
  const refused = async (body: Buffer, encoding: string) => {
    const answer = await way.post(CHAT, body, { "content-encoding": encoding });
    return [answer.status, answer.headers.get("x-handrail-error")];
  };
  expect(await refused(bomb, "gzip")).toEqual([413, "body_too_large"]);
  expect(await refused(bomb, "compress")).toEqual([415, "unsupported_media_type"]);
  expect(await refused(bomb, "gzip, br")).toEqual([415, "unsupported_media_type"]);
});

test("an answer in an unknown encoding, or that is cut off while it is unpacked, is a broken one", async () => {
  let packed: Buffer = gzipSync(JSON.stringify({ choices: [] }));
  let encoding = "compress";
  const { baseUrl, close } = await handWrittenProvider((response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding }).end(packed);
  });
  ends.push(close);
  const way = await gateway({ deployments: [{ baseUrl, maxRetries: 0 }] });
  const failed = async () => (await way.post(CHAT, ASK)).headers.get("x-handrail-error");
  expect(await failed()).toBe("model_stream_broken");
  [encoding, packed] = ["gzip", packed.subarray(0, packed.length - 6)];
  expect(await failed()).toBe("model_stream_broken");
  packed = Buffer.from("this is no gzip");
  expect(await failed()).toBe("model_stream_broken");
});

test("a body over the limit is refused, whether its length is told or not", async () => {
  const way = await gateway({ limits: { maxBodyBytes: 1000 } });
  const body = JSON.stringify({ ...ASK, user: "u".repeat(2000) });
  for (const headers of [{ "content-length": body.length }, { "transfer-encoding": "chunked" }]) {
    const request = httpRequest(way.url + CHAT, {
      method: "POST",
      headers: { authorization: `Bearer ${way.key}`, ...headers },
    });
    // The gateway need not read what is too much.
    request.on("error", () => undefined);
    // Where the length is told, nothing of it need come.
    if ("content-length" in headers) request.flushHeaders();
    else request.write(body.slice(0, 1500));
    const [answer] = await once(request, "response");
    expect([answer.statusCode, answer.headers["x-handrail-error"], answer.headers.connection]).toEqual([
      413,
      "body_too_large",
      "close",
    ]);
    request.destroy();
  }
});

test("a body that does not come in time is refused", async () => {
  const way = await gateway({ limits: { bodyTimeoutMs: 30 } });
  const request = httpRequest(way.url + CHAT, {
    method: "POST",
    headers: { authorization: `Bearer ${way.key}`, "content-length": "100" },
  });
  request.on("error", () => undefined);
  request.write("{");
  const [answer] = await once(request, "response");
  expect([answer.statusCode, await text(answer)]).toEqual([400, expect.stringContaining("did not come within")]);
});

test("what is no request of a model is refused with what is wrong", async () => {
  const way = await gateway();
  const deep = (levels: number) =>
    `${JSON.stringify(ASK).slice(0, -1)},"x":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  const refused: readonly [body: string | Buffer, message: string][] = [
    ["", "not valid JSON"],
    ["{", "not valid JSON"],
    ["[]", "must be a JSON object"],
    ["null", "must be a JSON object"],
    [`\u{feff}${JSON.stringify(ASK)}`, "not valid JSON"],
    ["{}", "Name a `model`"],
    ['{"model":7}', "Name a `model`"],
    [JSON.stringify({ ...ASK, model: "m".repeat(300) }), "too long"],
    ['{"model":"m","max_tokens":1,"max_tokens":100000}', "holds `max_tokens` twice"],
    ['{"model":"m","max_tokens":1,"max_\\u0074okens":100000}', "holds `max_tokens` twice"],
    [
      Buffer.concat([Buffer.from('{"model":"m","user":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
      "not valid UTF-8",
    ],
    [deep(201), "more than 200 deep"],
    [deep(200_000), "more than 200 deep"],
  ];
  for (const [body, message] of refused) {
    const answer = await way.post(CHAT, body);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: expect.objectContaining({ message: expect.stringContaining(message), code: "400" }) },
    ]);
  }
  expect(way.books.entries()).toEqual([]);
  expect((await way.post(CHAT, '{"model":"other","model":"m","messages":[]}')).status).toBe(200);
  expect((await way.post(CHAT, deep(199))).status).toBe(200);
});

test("paths may end in a slash, leave out the version, and be those of Azure's clients", async () => {
  const way = await gateway();
  const { model: _, ...unnamed } = ASK;
  for (const path of [CHAT, `${CHAT}/`, "/chat/completions", "/openai/v1/chat/completions", `${CHAT}?api-version=1`])
    expect([path, (await way.post(path, ASK)).status]).toEqual([path, 200]);
  for (const path of ["/openai/deployments/m/chat/completions", "/engines/m/chat/completions?api-version=2024-06-01"])
    expect([path, (await way.post(path, unnamed)).status]).toEqual([path, 200]);
  for (const path of ["/v1/chat", "/v2/chat/completions", "/v1/chat/completions/x", "/openai/deployments/m/models"])
    expect([path, (await way.post(path, ASK)).status]).toEqual([path, 404]);
});

test("another method is refused with the one that there is, and no page of another origin may read an answer", async () => {
  const way = await gateway();
  const asked = async (method: string, path: string) => {
    const answer = await fetch(way.url + path, {
      method,
      headers: { origin: "https://elsewhere.example", "access-control-request-method": "POST" },
    });
    const shared = [...answer.headers.keys()].filter((name) => name.startsWith("access-control-"));
    return [answer.status, answer.headers.get("allow"), shared, await answer.json()];
  };
  const inOpenAi = { error: expect.objectContaining({ code: "405" }) };
  expect(await asked("GET", CHAT)).toEqual([405, "POST", [], inOpenAi]);
  expect(await asked("OPTIONS", CHAT)).toEqual([405, "POST", [], inOpenAi]);
  expect(await asked("DELETE", "/v1/models")).toEqual([405, "GET, HEAD", [], inOpenAi]);
  expect(await asked("GET", "/v1/messages")).toEqual([
    405,
    "POST",
    [],
    { type: "error", error: expect.objectContaining({ message: "Use POST." }) },
  ]);
});

test("HEAD is answered as GET without a body, and one connection serves many calls", async () => {
  const way = await gateway();
  const headers = { authorization: `Bearer ${way.key}` };
  const head = await fetch(`${way.url}/v1/models`, { method: "HEAD", headers });
  const got = await fetch(`${way.url}/v1/models`, { headers });
  expect([head.status, await head.text(), head.headers.get("content-length")]).toEqual([
    200,
    "",
    String((await got.text()).length),
  ]);
  const socket = connect(Number(new URL(way.url).port), "127.0.0.1");
  const said: string[] = [];
  socket.setEncoding("utf8").on("data", (part: string) => said.push(part));
  const body = JSON.stringify(ASK);
  const lines = ["Host: h", `Authorization: Bearer ${way.key}`, `Content-Length: ${body.length}`];
  const post = `POST ${CHAT} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
  // Two at once: the second waits for the first.
  socket.write(post + post);
  while ((said.join("").match(/HTTP\/1\.1 200/g) ?? []).length < 2) await once(socket, "data");
  socket.destroy();
});

test("a client that waits to be told to go on is told so", async () => {
  const way = await gateway();
  const body = JSON.stringify(ASK);
  const request = httpRequest(way.url + CHAT, {
    method: "POST",
    headers: { authorization: `Bearer ${way.key}`, expect: "100-continue", "content-length": body.length },
  });
  request.flushHeaders();
  await once(request, "continue");
  request.end(body);
  const [answer] = await once(request, "response");
  expect(answer.statusCode).toBe(200);
  answer.resume();
});

test("headers that are too long are refused, and a key that is too long is none", async () => {
  const way = await gateway();
  const status = async (headers: Record<string, string>) => (await way.post(CHAT, ASK, headers)).status;
  expect(await status({ "x-long": "h".repeat(20_000) })).toBe(431);
  expect(await status({ authorization: `Bearer sk-${"k".repeat(600)}` })).toBe(401);
  expect(await status({ "x-litellm-tags": "t".repeat(9000), "x-litellm-session-id": "s".repeat(5000) })).toBe(200);
});

test("as many calls as are allowed are answered at once, and it still says that it lives", async () => {
  const { baseUrl, close, came, go } = await heldProvider();
  ends.push(close);
  const way = await gateway({ deployments: [{ baseUrl }], limits: { maxCalls: 1 } });
  const first = way.post(CHAT, ASK);
  await came;
  const second = await way.post("/v1/messages", ASK);
  expect([second.status, second.headers.get("retry-after"), await second.json()]).toEqual([
    429,
    "1",
    { type: "error", error: expect.objectContaining({ message: "The gateway answers too many calls at once." }) },
  ]);
  for (const probe of ["liveliness", "readiness"])
    expect([probe, (await fetch(`${way.url}/health/${probe}`)).status]).toEqual([probe, 200]);
  go();
  expect((await first).status).toBe(200);
});

test("a gateway that closes ends what is under way after its grace, lets nothing in, and says that it is not ready", async () => {
  const came = Promise.withResolvers<void>();
  const { baseUrl, close } = await handWrittenProvider(() => came.resolve());
  ends.push(close);
  const way = await gateway({ deployments: [{ baseUrl, maxRetries: 0 }] });
  const first = way.post(CHAT, ASK);
  await came.promise;
  const closed = way.gateway.close(100);
  const probe = async (name: string) => (await fetch(`${way.url}/health/${name}`)).status;
  expect([await probe("liveliness"), await probe("readiness"), (await way.post(CHAT, ASK)).status]).toEqual([
    200, 503, 503,
  ]);
  expect((await first).status).toBeGreaterThanOrEqual(500);
  await closed;
  expect(way.books.open()).toEqual([]);
});
