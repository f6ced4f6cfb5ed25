import fc from "fast-check";
import { expect, test } from "vitest";
import { base64FromBytes } from "../base64.ts";
import { secretForms } from "./secret-forms.ts";
import { hostMasker, labelled, overwritten, secretMasker, type Writing } from "./secret-masker.ts";

const TOKEN = "ghp_16C7e42F292c6912E7710c8'q\"x /y~!*()+9:";
const masker = secretMasker([{ name: "TOKEN", value: TOKEN }]);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64Of = (text: string) => base64FromBytes(bytesOf(text));
const webForm = (text: string) => text.replaceAll("+", "-").replaceAll("/", "_");
const joinedText = (parts: readonly Uint8Array[]) => parts.map(textOf).join("");

const WRITTEN: Readonly<Record<string, string>> = {
  plain: TOKEN,
  json: JSON.stringify(TOKEN).slice(1, -1),
  "json, slashes escaped": JSON.stringify(TOKEN).slice(1, -1).replaceAll("/", "\\/"),
  url: encodeURIComponent(TOKEN),
  "url, lower case": encodeURIComponent(TOKEN).replace(/%../g, (code) => code.toLowerCase()),
  "url, whole": encodeURI(TOKEN),
  "url, by curl": "ghp_16C7e42F292c6912E7710c8%27q%22x%20%2Fy~%21%2A%28%29%2B9%3A",
  "url, by Python": "ghp_16C7e42F292c6912E7710c8%27q%22x%20/y~%21%2A%28%29%2B9%3A",
  "url, by Go, lower case": "ghp_16C7e42F292c6912E7710c8%27q%22x+%2fy~%21%2a%28%29%2b9%3a",
  "url, with spaces as in forms": encodeURIComponent(TOKEN).replaceAll("%20", "+"),
  form: "ghp_16C7e42F292c6912E7710c8%27q%22x+%2Fy%7E%21*%28%29%2B9%3A",
  "hex, lower case": hexOf(bytesOf(TOKEN)),
  "hex, upper case": hexOf(bytesOf(TOKEN)).toUpperCase(),
  "quoted for a shell": TOKEN.replaceAll("'", "'\\''"),
  "quoted for a shell by Python": TOKEN.replaceAll("'", `'"'"'`),
  "escaped for a shell": "ghp_16C7e42F292c6912E7710c8\\'q\\\"x\\ /y\\~\\!\\*\\(\\)+9:",
};

test.each(Object.entries(WRITTEN))("a secret is masked: %s", (_form, written) => {
  expect(masker.text(`before ${written} after`)).toBe("before [secret TOKEN] after");
});

test.each([0, 1, 2])("a secret is masked in base64 and base64url with %i bytes before it", (before) => {
  const value = ">>>???~~~ÿÿÿ>?~ÿ>?~ÿ";
  const other = secretMasker([{ name: "TOKEN", value }]);
  const encoded = base64Of(`${"x".repeat(before)}${value}tail`);
  expect(encoded).toMatch(/\+[^]*\/|\/[^]*\+/);
  for (const written of [encoded, webForm(encoded)]) {
    const masked = other.text(written);
    expect(masked).toContain("[secret TOKEN]");
    expect(masked.length - "[secret TOKEN]".length).toBeLessThanOrEqual(12);
  }
});

test("a long secret is masked in base64 that is cut into lines", () => {
  const value = hexOf(Uint8Array.from({ length: 120 }, (_, index) => (index * 37) % 251));
  const lines = base64Of(value).replace(/(.{76})/g, "$1\n");
  const left = secretMasker([{ name: "KEY", value }])
    .text(lines)
    .replaceAll("[secret KEY]", "");
  expect(left.length).toBeLessThan(lines.length / 3);
});

test("a secret is masked in dumps, save where a line has less than eight bytes of it", () => {
  const keys = secretMasker([{ name: "KEY", value: "s3cr3t-value-0123456789" }]);
  const mark = "[secret KEY]";
  const rows = " 73 33 63 72 33 74 2d 76 61 6c 75 65 2d 30 31 32\n 33 34 35 36 37 38 39\n";
  expect(keys.text(rows)).toBe(` ${mark}\n 33 34 35 36 37 38 39\n`);
  const later = "20 20 20 73 33 63 72 33 74 2d 76 61 6c 75 65 2d\n30 31 32 33 34 35 36 37 38 39 0a";
  expect(keys.text(later)).toBe(`20 20 20 ${mark}\n${mark} 0a`);
  expect(keys.text("73 33 63 72 33 74 2d 76  61 6c 75 65 2d 30 31 32")).toBe(`${mark}  ${mark}`);
  expect(keys.text("7333 6372 3374 2d76 616c 7565 2d30 3132")).toBe(mark);
  expect(keys.text("73:33:63:72:33:74:2D:76\n61:6C:75:65:2D:30:31:32")).toBe(`${mark}\n${mark}`);
});

test("each line of a key file is masked by itself", () => {
  const value =
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\nAwEHBG0wawIBAQQgXo2X1Yb0aQ6cQ\n-----END PRIVATE KEY-----\n";
  const keys = secretMasker([{ name: "KEY", value }]);
  expect(keys.text("  AwEHBG0wawIBAQQgXo2X1Yb0aQ6cQ\r\n")).toBe("  [secret KEY]\r\n");
  expect(keys.text(`${value.replaceAll("\n", "\r\n")}end`)).toBe("[secret KEY]end");
});

test("a line of a long value is masked as any program writes it in a URL", () => {
  const keys = secretMasker([{ name: "KEY", value: `${"x".repeat(600)}\nabc/def+ghi/jklmnopqrstu` }]);
  expect(keys.text("?k=abc/def%2bghi/jklmnopqrstu&")).toBe("?k=[secret KEY]&");
});

test("what overlaps is one mask, and what only begins like a secret passes", () => {
  const two = secretMasker([
    { name: "A", value: "aaaabbbb" },
    { name: "B", value: "bbbbcccc" },
  ]);
  expect(two.text("-aaaabbbbcccc-aaaabbb-bbbbcccc")).toBe("-[secret A]-aaaabbb-[secret B]");
});

test("overwritten bytes are as many as they were", () => {
  const text = `x${TOKEN}y`;
  const masked = textOf(masker.bytes(bytesOf(text)));
  expect(masked).toBe(`x[secret TOKEN]${"*".repeat(TOKEN.length - 14)}y`);
  const short = secretMasker([{ name: "LONG_NAME", value: "12345678" }]);
  expect(textOf(short.bytes(bytesOf("a12345678b")))).toBe("a********b");
});

const small = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 8, maxLength: 12 });
const cut = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", "-"), maxLength: 30 }), { maxLength: 8 });
const writings: readonly Writing[] = [labelled, overwritten];

test("however the bytes are cut, the same comes out", () => {
  fc.assert(
    fc.property(
      fc.array(small, { minLength: 1, maxLength: 4 }),
      cut,
      fc.constantFrom(...writings),
      (values, pieces, writing) => {
        const some = secretMasker(values.map((value, index) => ({ name: `S${index}`, value })));
        const salted = [...pieces, ...values].flatMap((piece) => [piece.slice(0, 5), piece.slice(5)]);
        const inPieces = some.stream(writing);
        const out = [...salted.map((piece) => inPieces.push(bytesOf(piece))), inPieces.end()];
        const inOne = some.stream(writing);
        const whole = [inOne.push(bytesOf(salted.join(""))), inOne.end()];
        expect(joinedText(out)).toBe(joinedText(whole));
      },
    ),
  );
});

const ROUND = "a9sLQ2mZp7Rt4VwXa";
test.each([
  ["labelled", labelled],
  ["overwritten", overwritten],
] as const)("secrets that overlap without end are not held back without end: %s", (_how, writing) => {
  const keys = secretMasker([{ name: "KEY", value: ROUND }]);
  const link = ROUND.slice(1);
  const all = bytesOf(`x${ROUND}${link.repeat(20_000)}y`);
  const inOne = keys.stream(writing);
  const whole = [inOne.push(all), inOne.end()];
  const inPieces = keys.stream(writing);
  let read = 0;
  let most = 0;
  let passed = 0;
  const out: Uint8Array[] = [];
  for (let size = 1; read < all.length; size = (size * 7 + 3) % 5000) {
    const piece = inPieces.push(all.subarray(read, read + size));
    read = Math.min(all.length, read + size);
    out.push(piece);
    passed += piece.length;
    most = Math.max(most, read - passed);
  }
  out.push(inPieces.end());
  expect(joinedText(out)).toBe(joinedText(whole));
  if (writing === overwritten) expect([joinedText(out).length, most < 70_000]).toEqual([all.length, true]);
  expect(joinedText(out)).toMatch(/^x\[secret KEY\][^]*y$/);
  expect(keys.find(bytesOf(joinedText(out)))).toBeUndefined();
});

test("no form of a secret is left, whatever is around it", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, maxLength: 60 }), fc.string(), fc.string(), (value, before, after) => {
      const some = secretMasker([{ name: "S", value }]);
      for (const form of secretForms(value)) {
        const masked = some.bytes(bytesOf(`${before}${textOf(form)}${after}`));
        expect(some.find(masked)).toBeUndefined();
      }
    }),
  );
});

test("what is typed shows at once, and a secret that comes byte by byte is still not shown", () => {
  const typing = secretMasker([{ name: "S", value: "abcdefgh" }]).stream(overwritten, { releases: 3 });
  const shown = Array.from("xabcdefghy").map((letter) => textOf(typing.push(bytesOf(letter))));
  expect(shown).toEqual(["x", "a", "b", "c", "", "", "", "", "*****", "y"]);
});

const HOST_SECRET = "Ghp-16C7e42F292c6912E7710c8KhTr33sBnPpRt";
test.each([
  ["in other capitals", `${HOST_SECRET.toLowerCase()}.evil.test`, "[secret KEY].evil.test"],
  ["in its own, as a host that is none is reported", `${HOST_SECRET}.evil.test:x`, "[secret KEY].evil.test:x"],
  ["in hex", `a.${hexOf(bytesOf(HOST_SECRET))}.test`, "a.[secret KEY].test"],
  [
    "in base64",
    `${webForm(base64Of(HOST_SECRET)).toLowerCase().replaceAll("=", "")}.test`,
    /^\[secret KEY\].{0,2}\.test$/,
  ],
  ["in pieces", `${HOST_SECRET.slice(0, 9)}.${HOST_SECRET.slice(9)}.test`.toLowerCase(), "[secret KEY]"],
  ["not at all", "Registry.npmjs.org", "Registry.npmjs.org"],
])("a secret in the name of a host is masked, though its capitals are lost: %s", (_how, host, masked) => {
  const told = hostMasker([{ name: "KEY", value: HOST_SECRET }])(host);
  expect(told).toMatch(masked instanceof RegExp ? masked : new RegExp(`^${RegExp.escape(masked)}$`));
});
