import { DeploymentInput } from "@handrail/protocol/gateway";
import { expect, test } from "vitest";
import { firstIssue } from "./form-texts.ts";

const place = { name: "fast", provider: "openai", model: "m" };

test("what is wrong with a field is said in words", () => {
  const said = (value: object) => {
    const { error } = DeploymentInput.safeParse({ ...place, ...value });
    return error && firstIssue(error, { weight: "Share of the load" });
  };
  expect(
    [{ region: "r".repeat(65) }, { model: "" }, { weight: 1001 }, { weight: 0 }, { weight: NaN }].map(said),
  ).toEqual([
    "Region: must have at most 64 characters",
    "Model: is needed",
    "Share of the load: must be at most 1000",
    "Share of the load: must be more than 0",
    "Share of the load: must be a number",
  ]);
  expect(said({ name: "a b" })).toBe("Name: must be a name without blanks; it may end in *");
});
