import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A span as it was received. `kind`: 2 for a server's, 3 for a client's. Ids are hex; attributes by their keys. */
export type ReceivedSpan = {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
};

/** A receiver of OTLP over HTTP, as JSON and as protobuf. */
export type OtlpReceiver = {
  readonly url: string;
  /** What came, as text: to look for what must not be in it. */
  readonly bodies: string[];
  readonly contentTypes: (string | undefined)[];
  readonly spans: () => readonly ReceivedSpan[];
  close(): Promise<void>;
};

/** `answers`: false for one that takes everything and never says so. */
export async function otlpReceiver(answers = true): Promise<OtlpReceiver> {
  const [bodies, spans, contentTypes]: [string[], ReceivedSpan[], (string | undefined)[]] = [[], [], []];
  const server = createServer((request, response) => {
    const received = buffer(request).then((body) => {
      const type = request.headers["content-type"];
      bodies.push(body.toString("latin1"));
      contentTypes.push(type);
      spans.push(...(type === "application/json" ? fromJson(body.toString()) : fromProtobuf(body)));
      if (answers) response.writeHead(200, { "content-type": type ?? "" }).end(type === "application/json" ? "{}" : "");
    });
    received.catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    contentTypes,
    spans: () => spans,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

type JsonSpan = Omit<ReceivedSpan, "attributes" | "parentSpanId"> & {
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
};

function fromJson(text: string): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(text) as {
    readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[] }[];
  };
  const found = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  return found.map(({ name, kind, traceId, spanId, parentSpanId = "", attributes }) => {
    const pairs = attributes.map(({ key, value }) => [key, plain(Object.values(value)[0])]);
    return { name, kind, traceId, spanId, parentSpanId, attributes: Object.fromEntries(pairs) };
  });
}

const plain = (value: unknown) => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value);

/** The fields of `ExportTraceServiceRequest` that are looked at, by their numbers in opentelemetry-proto 1.x. */
function fromProtobuf(body: Buffer): ReceivedSpan[] {
  const spans = parts(body, 1).flatMap((resource) => parts(resource, 2).flatMap((scope) => parts(scope, 2)));
  return spans.map((span) => ({
    name: textIn(span, 5),
    kind: Number(fieldsOf(span).find(({ number }) => number === 6)?.value ?? 0),
    traceId: parts(span, 1)[0]?.toString("hex") ?? "",
    spanId: parts(span, 2)[0]?.toString("hex") ?? "",
    parentSpanId: parts(span, 4)[0]?.toString("hex") ?? "",
    attributes: Object.fromEntries(parts(span, 9).map((pair) => [textIn(pair, 1), valueIn(parts(pair, 2)[0])])),
  }));
}

const parts = (message: Buffer, wanted: number): Buffer[] =>
  fieldsOf(message).flatMap(({ number, value }) => (number === wanted && Buffer.isBuffer(value) ? [value] : []));

const textIn = (message: Buffer, number: number): string => parts(message, number)[0]?.toString("utf8") ?? "";

/** Of an `AnyValue`: a text, a truth, a whole number or a double. */
function valueIn(message: Buffer | undefined): unknown {
  const [field] = message === undefined ? [] : fieldsOf(message);
  if (field === undefined) return undefined;
  if (Buffer.isBuffer(field.value))
    return field.number === 4 ? field.value.readDoubleLE() : field.value.toString("utf8");
  return field.number === 2 ? field.value === 1 : field.value;
}

type Field = { readonly number: number; readonly value: number | Buffer };

function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length;) {
    const tag = varint(message, at);
    const wire = tag.value % 8;
    const head = wire === 0 || wire === 2 ? varint(message, tag.next) : { value: 0, next: tag.next };
    const size = wire === 2 ? head.value : wire === 1 ? 8 : wire === 5 ? 4 : 0;
    const end = head.next + size;
    fields.push({
      number: Math.floor(tag.value / 8),
      value: wire === 0 ? head.value : message.subarray(head.next, end),
    });
    at = end;
  }
  return fields;
}

function varint(message: Buffer, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = from, scale = 1; ; at += 1, scale *= 128) {
    const byte = message[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: at + 1 };
  }
}
