import { expect, test } from "vitest";
import { readConfig } from "../config.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "hidden" };
const storeOf = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  readConfig(["--home", "/nowhere", ...argv], env).checkpoints.store;

test("checkpoints go to a directory, nowhere, or a bucket with its keys from the environment", () => {
  expect(storeOf([])).toEqual({ type: "directory" });
  expect(storeOf(["--checkpoint-store", "none"])).toEqual({ type: "none" });
  expect(storeOf(["--checkpoint-store", "s3://files/a/b"], { ...KEYS, AWS_REGION: "eu-central-1" })).toEqual({
    type: "s3",
    bucket: "files",
    prefix: "a/b/",
    endpoint: "https://s3.eu-central-1.amazonaws.com",
    region: "eu-central-1",
    accessKeyId: "id",
    secretAccessKey: "hidden",
    sessionToken: undefined,
  });
  const own = ["--checkpoint-store", "s3://files", "--checkpoint-endpoint", "http://127.0.0.1:9000/"];
  expect(storeOf(own, KEYS)).toMatchObject({ prefix: "", endpoint: "http://127.0.0.1:9000", region: "us-east-1" });
});

test("what names no bucket, and a bucket without keys, are refused", () => {
  for (const text of ["s3://", "s3://A_b", "s3://ab", "s3://files/../x", "s3://files/a//b", "file"]) {
    expect(() => storeOf(["--checkpoint-store", text], KEYS)).toThrow(/checkpoint-store/);
  }
  const { AWS_ACCESS_KEY_ID } = KEYS;
  expect(() => storeOf(["--checkpoint-store", "s3://files"], { AWS_ACCESS_KEY_ID })).toThrow(/AWS_SECRET_ACCESS_KEY/);
});

test("files that a checkpoint can have are no larger than a directory can tell of", () => {
  const mostOf = (...argv: string[]) => readConfig(["--home", "/nowhere", ...argv], {}).checkpoints.maxFileBytes;
  expect([mostOf(), mostOf("--checkpoint-max-file", "64g"), mostOf("--checkpoint-max-file", "65g")]).toEqual([
    100 * 1024 ** 2,
    64 * 1024 ** 3,
    64 * 1024 ** 3,
  ]);
});
