import { expect, test } from "vitest";
import type { HeldSecret } from "./held-secret.ts";
import { maskerOf } from "./masker-of.ts";

const secret = (name: string, value: string): HeldSecret => ({
  name,
  value,
  placeholder: undefined,
  use: { type: "header", hosts: [{ host: "a.test" }] },
});

test("the masker of the same secrets is made once, and that of others is another", () => {
  const first = maskerOf([secret("A", "value-of-a-0001")]);
  expect(maskerOf([secret("A", "value-of-a-0001")])).toBe(first);
  expect(maskerOf([secret("A", "value-of-a-0002")]).text("value-of-a-0002 value-of-a-0001")).toBe(
    "[secret A] value-of-a-0001",
  );
  expect(maskerOf([secret("B", "value-of-a-0001")]).text("value-of-a-0001")).toBe("[secret B]");
});

test("few are kept", () => {
  const first = maskerOf([secret("A", "value-of-a-0003")]);
  for (let at = 0; at < 40; at++) maskerOf([secret("A", `another-value-${at}`)]);
  expect(maskerOf([secret("A", "value-of-a-0003")])).not.toBe(first);
});
