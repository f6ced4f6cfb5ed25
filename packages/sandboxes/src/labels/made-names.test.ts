import type { SandboxChoice } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { choiceLabel, madeNames, LABEL, profileIn } from "./made-names.ts";

test("what an installation makes has its name, and another installation's never has", () => {
  const { container, workspace, state, whole, carrier, programs, labels } = madeNames("a");
  expect([
    container("c_1"),
    workspace("c_1"),
    state("c_1"),
    whole(workspace("c_1")),
    carrier("v"),
    programs("1"),
  ]).toEqual([
    "handrail-a-c_1",
    "handrail-a-c_1-ws",
    "handrail-a-c_1-state",
    "handrail-a-c_1-ws-whole",
    "v-carrier",
    "handrail-a-programs-1",
  ]);
  expect(labels("c_1")).toEqual({ "handrail.installation": "a", "handrail.conversation": "c_1" });
});

test("an installation's name that would be part of a path, or of another's names, is refused", () => {
  for (const name of ["", "A", "a_b", "../a", "-a", "a/b", "a".repeat(42)]) {
    expect(() => madeNames(name), name).toThrow(expect.objectContaining({ code: "config_invalid" }));
  }
});

test("a container serves as long as the choice is the same but for the network's rule", () => {
  const choice: SandboxChoice = { backend: "docker", network: { type: "none" }, image: "a:1", profile: "strict" };
  const open: SandboxChoice = { ...choice, network: { type: "allow", presets: [], hosts: ["example.org"] } };
  expect(choiceLabel(open)).toBe(choiceLabel(choice));
  expect(choiceLabel({ ...choice, image: "a:2" })).not.toBe(choiceLabel(choice));
  expect(profileIn({ [LABEL.choice]: choiceLabel(choice) })).toBe("strict");
  expect([{}, { [LABEL.choice]: "what" }, { [LABEL.choice]: '{"profile":"none"}' }].map(profileIn)).toEqual([
    "default",
    "default",
    "default",
  ]);
});
