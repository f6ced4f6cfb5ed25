import { expect, test } from "vitest";
import { type Bundle, bundleHeadBytes, MAX_BUNDLE_BYTES, writeBundle } from "./bundles.ts";
import { encodeObjectFrame, headBytes, objectFrames, sentFrames, writeNamedFrame } from "./object-frames.ts";

const NAMES = ["0123456789abcdef".repeat(4), "fedcba9876543210".repeat(4)] as const;
const bundle: Bundle = {
  kind: "bundle",
  size: 500,
  data: Uint8Array.of(9, 8, 7, 6, 5),
  objects: [
    { name: NAMES[0], at: 0, bytes: 300 },
    { name: NAMES[1], at: 300, bytes: 200 },
  ],
};
const object = { kind: "blob", packed: false, size: 3, data: Uint8Array.of(1, 2, 3) } as const;

function encoded(written: Bundle): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(3 + bundleHeadBytes(written) + written.data.length);
  expect(writeBundle(into, 3, written)).toBe(into.length);
  return into.slice(3);
}

test("bundles come back whole between other frames, when the bytes are cut at any place", () => {
  const named = new Uint8Array(headBytes(true) + object.size);
  writeNamedFrame(named, 0, encodeObjectFrame(object), NAMES[1]);
  const bytes = Uint8Array.from([...encoded(bundle), ...named, ...encoded({ ...bundle, objects: [] })]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames = sentFrames();
    const found = [...frames.take(bytes.slice(0, cut)), ...frames.take(bytes.slice(cut))];
    frames.end();
    expect(found).toEqual([bundle, { ...object, name: NAMES[1] }, { ...bundle, objects: [] }]);
  }
});

const [first, second] = bundle.objects as [Bundle["objects"][number], Bundle["objects"][number]];

test.each<[string, Bundle]>([
  ["a name that is none", { ...bundle, objects: [first, { ...second, name: "../../x".padEnd(64, ".") }] }],
  ["an object that ends behind the bundle", { ...bundle, objects: [first, { ...second, bytes: 201 }] }],
  ["more than it may unpack to", { ...bundle, size: MAX_BUNDLE_BYTES + 1 }],
  ["more compressed bytes than others", { ...bundle, size: 4, objects: [] }],
])("a bundle with %s is refused", (_, wrong) => {
  expect(() => sentFrames().take(encoded(wrong))).toThrow(expect.objectContaining({ code: "checkpoint_invalid" }));
});

test("a bundle of somebody who is not believed is refused", () => {
  expect(() => objectFrames().take(encoded(bundle))).toThrow(expect.objectContaining({ code: "checkpoint_invalid" }));
});
