import { Agent, request as send } from "node:http";

/** Where calls go, and what a client has to send there. */
export type Target = { readonly port: number; readonly headers: Readonly<Record<string, string>> };

/** Milliseconds from the request to the first byte of the answer's body, and to its last. */
export type Call = { readonly first: number; readonly last: number };

const message = (content: string) => [{ role: "user", content }];
const LONG = Array.from({ length: 400_000 / 50 }, (_, line) => `line ${line}`.padEnd(49, ".")).join("\n");

/** The requests that are sent. */
export const BODIES = {
  json: JSON.stringify({ model: "bench", messages: message("Say something.") }),
  stream: JSON.stringify({ model: "bench", messages: message("Say something."), stream: true }),
  long: JSON.stringify({ model: "bench", messages: message(LONG), stream: true }),
  paced: JSON.stringify({ model: "bench", messages: message("Say something."), stream: true, user: "paced" }),
} as const;

export type Kind = keyof typeof BODIES;

/** Makes `count` calls, `parallel` of them at a time. @throws Error when one is not answered as it should be */
export async function callMany(
  target: Target,
  kind: Kind,
  { count, parallel }: { readonly count: number; readonly parallel: number },
): Promise<readonly Call[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  const calls: Call[] = [];
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      calls.push(await callOnce(target, kind, agent));
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, worker));
  } finally {
    agent.destroy();
  }
  return calls;
}

/** @throws Error when it is not answered whole and with 200 */
export function callOnce(target: Target, kind: Kind, agent: Agent): Promise<Call> {
  const { promise, resolve, reject } = Promise.withResolvers<Call>();
  const body = BODIES[kind];
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...target.headers,
  };
  const before = performance.now();
  const options = { host: "127.0.0.1", port: target.port, path: "/v1/chat/completions", method: "POST" };
  const request = send({ ...options, headers, agent }, (answer) => {
    let first = 0;
    let end = "";
    answer.on("data", (bytes: Buffer) => {
      first ||= performance.now() - before;
      end = (end + bytes.toString("latin1", Math.max(0, bytes.length - 100))).slice(-100);
    });
    answer.on("error", reject);
    answer.on("end", () => {
      const complete = kind === "json" ? end.trimEnd().endsWith("}") : end.includes("[DONE]");
      if (answer.statusCode === 200 && complete) resolve({ first, last: performance.now() - before });
      else reject(new Error(`answered ${answer.statusCode}: ${end}`));
    });
  });
  request.on("error", reject);
  request.end(body);
  return promise;
}
