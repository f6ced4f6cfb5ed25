import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Readable } from "node:stream";
import { checkpointStoreContract } from "@handrail/core/testing/checkpoint-store-contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AwsClient } from "aws4fetch";
import { s3Store, type S3Place } from "./s3-store.ts";

const KEYS = { accessKeyId: "test-key", secretAccessKey: "test-secret" };
/** A server of the S3 API that runs already, whose root has these keys; Moto is started where none is named. */
const given = process.env["HANDRAIL_TEST_S3"];
const moto = given === undefined ? findMoto() : undefined;
let server: ChildProcessByStdio<null, null, Readable> | undefined;
let endpoint = given ?? "";
let buckets = 0;

beforeAll(async () => {
  if (moto === undefined) return;
  server = spawn(moto, ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  endpoint = await addressSaid(server.stderr);
});
afterAll(() => server?.kill("SIGKILL"));

/** A real server of the S3 API: Moto's, from PyPI (`moto[server]`). */
function findMoto(): string | undefined {
  const path = process.env["HANDRAIL_TEST_MOTO"] ?? "moto_server";
  try {
    execFileSync(path, ["--help"], { stdio: "ignore", timeout: 30_000 });
    return path;
  } catch {
    console.log(
      "S3: skipped, there is no moto_server here (pip install 'moto[server]', HANDRAIL_TEST_MOTO=path; or HANDRAIL_TEST_S3=address)",
    );
    return undefined;
  }
}

/** Where it listens, at a port that the kernel chose: it says so once it does. Rejects when it ends before. */
function addressSaid(lines: Readable): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = "";
  lines.on("data", (text: Buffer) => {
    said = (said + text.toString()).slice(-2000);
    const address = /Running on (http:\S+)/.exec(said)?.[1];
    if (address !== undefined) resolve(address);
  });
  lines.once("close", () => reject(new Error(`The S3 server ended: ${said}`)));
  return promise;
}

async function freshPlace(prefix = "team/checkpoints/"): Promise<S3Place> {
  const bucket = `bucket-${Date.now()}-${buckets++}`;
  await new AwsClient({ ...KEYS, service: "s3", region: "us-east-1" }).fetch(`${endpoint}/${bucket}`, {
    method: "PUT",
  });
  return { endpoint, region: "us-east-1", bucket, prefix, ...KEYS };
}

if (moto !== undefined || given !== undefined) {
  checkpointStoreContract("s3Store", async () => s3Store(await freshPlace()));

  test("two prefixes of a bucket are two stores", async () => {
    const place = await freshPlace("one/");
    const [one, other, all] = ["one/", "two/", ""].map((prefix) => s3Store({ ...place, prefix }));
    await one!.put("a/b", new Uint8Array([1, 0, 255]));
    expect(await other!.list("")).toEqual([]);
    expect(await all!.list("")).toEqual(["one/a/b"]);
    expect([...(await one!.get("a/b"))]).toEqual([1, 0, 255]);
  });

  test("a bucket that is not there is said, also when only one object is asked for", async () => {
    const store = s3Store({ ...(await freshPlace()), bucket: "nowhere" });
    const refused = {
      code: "checkpoints_unavailable",
      message: "The bucket of the checkpoint store refuses (404 NoSuchBucket). Look at its address and keys.",
    };
    await expect(store.list("")).rejects.toMatchObject(refused);
    await expect(store.put("a", new Uint8Array([1]))).rejects.toMatchObject(refused);
    await expect(store.get("a")).rejects.toMatchObject(refused);
  });

  test("a server that does not answer is said", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const store = s3Store({ ...(await freshPlace()), endpoint: `http://127.0.0.1:${port}` });
    await expect(store.get("a")).rejects.toMatchObject({
      code: "checkpoints_unavailable",
      message: `The checkpoint store at http://127.0.0.1:${port} does not answer (ECONNREFUSED).`,
    });
  });
} else {
  test.skip("s3Store: there is no moto_server here", () => undefined);
}
