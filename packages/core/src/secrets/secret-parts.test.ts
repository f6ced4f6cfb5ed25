import { expect, test } from "vitest";
import { base64FromBytes } from "../base64.ts";
import { secretMasker } from "./secret-masker.ts";
import { secretParts } from "./secret-parts.ts";

const base64Of = (text: string) => base64FromBytes(new TextEncoder().encode(text));
const hexOf = (text: string) =>
  Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");

const LINES = [
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
  "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu",
  "p2PKSQnSJP3AJLQNFNe7br1XbrhV",
];
const PEM = `-----BEGIN PRIVATE KEY-----\n${LINES.join("\n")}\n-----END PRIVATE KEY-----\n`;
const ACCESS = "AKIAIOSFODNN7EXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEY_ID = "0123456789abcdef0123456789abcdef01234567";
const NPM = "npm_a8Kd93jfKq0Zlx83mNv72hTgBw5cRy1sUe4o";
const LOGIN = base64Of("ada:correct-horse!");
const HOOK = "aB3dE5gH7jK9mN1pQ3sT5vW7";

const ACCOUNT = {
  type: "service_account",
  project_id: "my-project-123456",
  private_key_id: KEY_ID,
  private_key: PEM,
  client_email: "robot@my-project-123456.iam.gserviceaccount.com",
  client_id: "112345678901234567890",
  auth_uri: "https://accounts.google.com/o/oauth2/auth",
  token_uri: "https://oauth2.googleapis.com/token",
  auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
  universe_domain: "googleapis.com",
};
const KUBE = `apiVersion: v1
kind: Config
clusters:
- cluster:
    server: https://kube.example.com:6443
  name: gke_my-project-123456_us-central1-a_prod
users:
- name: admin
  user:
    client-key-data: ${base64Of(PEM)}
    token: abcdefghijkl
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
`;

type File = { readonly value: string; readonly secret: readonly string[]; readonly shown: readonly string[] };

const FILES: Readonly<Record<string, File>> = {
  "AWS credentials": {
    value: `[default]\naws_access_key_id = ${ACCESS}\naws_secret_access_key = ${SECRET}\nregion = eu-central-1\n`,
    secret: [ACCESS, SECRET],
    shown: ["aws_secret_access_key", "eu-central-1"],
  },
  "a service account": {
    value: JSON.stringify(ACCOUNT, null, 2),
    secret: [KEY_ID, PEM, JSON.stringify(PEM).slice(1, -1), ...LINES],
    shown: [
      ...Object.keys(ACCOUNT),
      ...Object.entries(ACCOUNT).flatMap(([key, text]) => (key.startsWith("private_key") ? [] : [text])),
      "-----BEGIN PRIVATE KEY-----",
      "-----END PRIVATE KEY-----",
    ],
  },
  "a service account in one line, with escapes": {
    value: JSON.stringify({ private_key: PEM.replace("hV", "hV==") }).replaceAll("=", "\\u003d"),
    secret: [PEM.replace("hV", "hV=="), ...LINES],
    shown: ["-----BEGIN PRIVATE KEY-----"],
  },
  ".netrc": {
    value:
      "machine api.example.com\n  login ada\n  password Zk29xmQ8vR71\nmachine b.example.com login bob password hunter2:all!\n",
    secret: ["Zk29xmQ8vR71", "hunter2:all!"],
    shown: ["api.example.com", "b.example.com", "password"],
  },
  "a kubeconfig": {
    value: KUBE,
    secret: [base64Of(PEM), "abcdefghijkl", ...LINES],
    shown: [
      "https://kube.example.com:6443",
      "gke_my-project-123456_us-central1-a_prod",
      "client.authentication.k8s.io/v1beta1",
    ],
  },
  ".npmrc": {
    value: `//registry.npmjs.org/:_authToken=${NPM}\nregistry=https://registry.npmjs.org/\nalways-auth=true\n`,
    secret: [NPM],
    shown: [
      "registry.npmjs.org",
      "//registry.npmjs.org/:_authToken=",
      "https://registry.npmjs.org/",
      "always-auth=true",
    ],
  },
  "Docker's config.json": {
    value: JSON.stringify({ auths: { "https://index.docker.io/v1/": { auth: LOGIN } }, credsStore: "secretservice" }),
    secret: [LOGIN, "correct-horse!"],
    shown: ["https://index.docker.io/v1/", "secretservice"],
  },
  "a .env": {
    value:
      "DATABASE_URL=postgres://app:S3cr:et-Pa55@db.internal:5432/app\n" +
      'export PASSPHRASE="correct horse battery staple"\n' +
      `HOOK=https://hooks.slack.com/services/T02ABCDEF/B02ABCDEF/${HOOK}\nSETTINGS_FILE=/etc/app/settings.json\nTOKEN_TYPE=bearer-tokens\n`,
    secret: ["S3cr:et-Pa55", "correct horse battery staple", HOOK],
    shown: [
      "DATABASE_URL",
      "db.internal:5432",
      "https://hooks.slack.com/services/",
      "/etc/app/settings.json",
      "bearer-tokens",
    ],
  },
};
const maskerOf = (value: string) => secretMasker([{ name: "F", value }]);

test.each(Object.entries(FILES))("what a program shows of %s alone is masked, in all forms", (_name, file) => {
  const masker = maskerOf(file.value);
  for (const part of file.secret) {
    expect([part, masker.text(`<${part}>`)]).toEqual([part, "<[secret F]>"]);
    expect(masker.text(encodeURIComponent(`<${part}>`))).toBe("%3C[secret F]%3E");
    expect(masker.text(hexOf(part))).toBe("[secret F]");
    const encoded = [0, 1, 2].map((before) => masker.text(base64Of(`${"x".repeat(before)}${part}`)));
    for (const text of encoded) expect(text).toMatch(/^.{0,3}\[secret F\][^[]{0,4}$/);
  }
});

test.each(Object.entries(FILES))("names, words and addresses in %s stay", (_name, file) => {
  const masker = maskerOf(file.value);
  expect(file.shown.map((text) => masker.text(`<${text}>`))).toEqual(file.shown.map((text) => `<${text}>`));
});

test.each(Object.entries(FILES))(
  "lines of %s show no secret, with numbers before them, cut or as JSON",
  (_name, file) => {
    const masker = maskerOf(file.value);
    const lines = file.value.split("\n");
    const views = [
      ...lines.map((line, index) => `${String(index + 1).padStart(6)}\t${line}`),
      ...lines.map((line) => `+${line}`),
      ...lines.flatMap((line) => [line.split("=").slice(1).join("="), line.split(":").slice(1).join(":").trim()]),
      ...lines.flatMap((line) => line.split(/\s+/)),
      ...lines.map((line) => JSON.stringify(line)),
    ];
    const alone = file.secret.filter((part) => !part.includes("\n"));
    for (const masked of views.map((view) => masker.text(view))) {
      expect(alone.filter((part) => masked.includes(part))).toEqual([]);
    }
  },
);

test("a line of a key in a string is masked in the file as it is", () => {
  const masker = maskerOf(JSON.stringify(ACCOUNT, null, 2));
  expect(masker.text(`  "private_key": ${JSON.stringify(PEM)},`)).toBe('  "private_key": "[secret F]",');
  expect(masker.text(PEM.replaceAll("\n", "\r\n"))).not.toMatch(/[A-Za-z0-9+/]{16}/);
});

test("one token has no parts", () => {
  expect([secretParts(NPM), secretParts(SECRET)]).toEqual([[], []]);
});

test.each(["x", "a=", "a: ", '"', "a.", "//", "\\", "a b ", "-", '"a\\'])(
  "parts are found in little time, also in %j again and again",
  (piece) => {
    const began = Date.now();
    secretParts(piece.repeat(16_384 / piece.length));
    expect(Date.now() - began).toBeLessThan(4000);
  },
);
