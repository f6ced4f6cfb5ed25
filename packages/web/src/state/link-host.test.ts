import { expect, test } from "vitest";
import { saysAddress } from "./link-host.ts";

test("a link whose text is its address needs no host behind it", () => {
  const links = [
    ["https://a.b/", "https://a.b/"],
    ["https://a.b", "https://a.b"],
    ["www.a.b/x", "http://www.a.b/x"],
    ["https://a.b/ü?q=1", "https://a.b/%C3%BC?q=1"],
    ["me@a.b", "mailto:me@a.b"],
  ] as const;
  expect(links.map(([text, href]) => saysAddress(text, href))).toEqual(links.map(() => true));
});

test("a link whose text is another address, hides its host or is no address gets it", () => {
  const links = [
    ["https://a.b/", "https://evil.example/"],
    ["https://a.b/", "https://a.b/other"],
    ["https://a.b@evil.example/", "https://a.b@evil.example/"],
    ["https://аpple.example/", "https://xn--pple-43d.example/"],
    ["the docs", "https://a.b/"],
    ["", "https://a.b/"],
  ] as const;
  expect(links.map(([text, href]) => saysAddress(text, href))).toEqual(links.map(() => false));
});
