import { expect, test } from "vitest";
import { hostMaskerOf, maskerOf } from "./masker-of.ts";

test("the maskers of the same secrets are made once, and those of others are others", () => {
  const [first, hosts] = [maskerOf, hostMaskerOf].map((of) => of([{ name: "A", value: "value-of-a-0001" }]));
  expect(maskerOf([{ name: "A", value: "value-of-a-0001" }])).toBe(first);
  expect(hostMaskerOf([{ name: "A", value: "value-of-a-0001" }])).toBe(hosts);
  expect(maskerOf([{ name: "A", value: "value-of-a-0002" }]).text("value-of-a-0002 value-of-a-0001")).toBe(
    "[secret A] value-of-a-0001",
  );
  expect(maskerOf([{ name: "B", value: "value-of-a-0001" }]).text("value-of-a-0001")).toBe("[secret B]");
  expect(hostMaskerOf([{ name: "B", value: "value-of-a-0001" }])("Value-of-a-0001.test")).toBe("[secret B].test");
});

test("few are kept", () => {
  const first = maskerOf([{ name: "A", value: "value-of-a-0003" }]);
  for (let at = 0; at < 40; at++) maskerOf([{ name: "A", value: `another-value-${at}` }]);
  expect(maskerOf([{ name: "A", value: "value-of-a-0003" }])).not.toBe(first);
});
