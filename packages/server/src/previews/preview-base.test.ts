import { expect, test } from "vitest";
import { previewBase, whyNoPreviews } from "./preview-base.ts";

const LOCAL = { host: "127.0.0.1", publicUrl: undefined, preview: { url: undefined } };
const PUBLIC = { ...LOCAL, publicUrl: "https://handrail.example.org" };

test("on this machine each preview has a name under localhost, and on another address they share its origin", () => {
  expect(previewBase(LOCAL, 3001)).toBe("http://*.localhost:3001");
  expect(previewBase({ ...LOCAL, host: "192.0.2.7" }, 3001)).toBe("http://192.0.2.7:3001");
  expect(previewBase({ ...LOCAL, host: "2001:db8::7" }, 3001)).toBe("http://[2001:db8::7]:3001");
  expect(whyNoPreviews(LOCAL)).toBeUndefined();
});

test("an address that is set holds, whatever else is", () => {
  const set = { ...PUBLIC, host: "0.0.0.0", preview: { url: "https://*.preview.example.net" } };
  expect([previewBase(set, 3001), whyNoPreviews(set)]).toEqual(["https://*.preview.example.net", undefined]);
});

test("where no address is known to lead to the preview port, previews are off, and it is said why and what to do", () => {
  const remedy =
    "Set preview-url (HANDRAIL_PREVIEW_URL) to an address that leads to the preview port, best one with * in its host: https://*.preview.example.net.";
  const off = [PUBLIC, { ...LOCAL, host: "0.0.0.0" }, { ...LOCAL, host: "::" }];
  expect(off.map((asked) => previewBase(asked, 3001))).toEqual([undefined, undefined, undefined]);
  expect(off.map(whyNoPreviews)).toEqual([
    {
      detail:
        "Off: browsers reach the page at https://handrail.example.org, and no address is set that leads them to the preview port.",
      remedy,
    },
    { detail: "Off: on 0.0.0.0 it is not known by which address browsers reach this machine.", remedy },
    { detail: "Off: on :: it is not known by which address browsers reach this machine.", remedy },
  ]);
});
