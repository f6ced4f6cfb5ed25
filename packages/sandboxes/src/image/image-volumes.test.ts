import { expect, test } from "vitest";
import { volumesIn } from "./image-volumes.ts";

test("paths of volumes are told once each, as they are mounted", () => {
  const Volumes = { "/data": {}, "/data/": {}, "relative/../cache": {}, "//a//b": {}, "/": {}, "/../..": {} };
  expect(volumesIn({ Volumes })).toEqual(["/data", "/cache", "/a/b"]);
});

test("an image without any, or with rubbish in their place, has none", () => {
  expect([{}, { Volumes: null }, { Volumes: "/data" }, null, undefined, "text"].map(volumesIn)).toEqual(
    Array.from({ length: 6 }, () => []),
  );
});
