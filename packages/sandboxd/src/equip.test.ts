import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { equip } from "./equip.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync("/dev/shm/handrail-equip-");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const AUTHORITY = "-----BEGIN CERTIFICATE-----\nc2FuZGJveA==\n-----END CERTIFICATE-----\n";
const OWN = "-----BEGIN CERTIFICATE-----\nb3du\n-----END CERTIFICATE-----\n";
const OTHER = "-----BEGIN CERTIFICATE-----\nb3RoZXI=\n-----END CERTIFICATE-----\n";

const call = async (env: Record<string, string>) => {
  const asked = { authority: AUTHORITY, files: [], environment: { TOKEN: "placeholder" } };
  return equip(env, [directory])(asked, { signal: new AbortController().signal } as never);
};

const place = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

test("every program's variable leads to the sandbox's authority", async () => {
  const env: Record<string, string> = { PATH: "/bin" };
  await call(env);
  const bundle = join(directory, "handrail/ca-bundle.pem");
  const alone = join(directory, "handrail/ca.pem");
  expect(env).toEqual({
    PATH: "/bin",
    TOKEN: "placeholder",
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
    GIT_SSL_CAINFO: bundle,
    PIP_CERT: bundle,
    AWS_CA_BUNDLE: bundle,
    CARGO_HTTP_CAINFO: bundle,
    NODE_EXTRA_CA_CERTS: alone,
    DENO_CERT: alone,
  });
  expect(readFileSync(alone, "utf8")).toBe(AUTHORITY);
  const known = readFileSync(bundle, "utf8");
  expect(known.endsWith(AUTHORITY)).toBe(true);
  expect(known.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(10);
});

test("authorities that the image names by these variables are believed further on", async () => {
  const own = place("own.pem", OWN);
  const other = place("other.pem", OTHER);
  const env = { SSL_CERT_FILE: own, REQUESTS_CA_BUNDLE: own, NODE_EXTRA_CA_CERTS: other };
  await call(env);
  expect(readFileSync(env.SSL_CERT_FILE, "utf8")).toBe(`${OWN}${OTHER}${AUTHORITY}`);
  expect(readFileSync(env.NODE_EXTRA_CA_CERTS, "utf8")).toBe(`${OTHER}${AUTHORITY}`);
  expect([readFileSync(own, "utf8"), readFileSync(other, "utf8")]).toEqual([OWN, OTHER]);
});

test("what is no file of a bundle's size is left out", async () => {
  const env = { PIP_CERT: "/dev/zero", AWS_CA_BUNDLE: join(directory, "none"), SSL_CERT_FILE: place("own.pem", OWN) };
  await call(env);
  expect(readFileSync(env.PIP_CERT, "utf8")).toBe(`${OWN}${AUTHORITY}`);
});
