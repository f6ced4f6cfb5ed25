import { expect, test } from "vitest";
import { profileChoice, type ProfileSettings } from "./profile-choice.ts";

const DOCKER = { name: "docker", works: true, detail: "", profiles: ["strict", "default", "dev"] } as const;
const CONTAINERD = { ...DOCKER, name: "containerd", profiles: ["strict", "default"] } as const;
const NONE = { ...DOCKER, name: "none", profiles: ["default"] } as const;
const SETTINGS: ProfileSettings = {
  backends: [DOCKER, CONTAINERD, NONE],
  defaults: { backend: "docker", profile: "default", profiles: ["strict", "default", "dev"] },
};

test("the profiles are offered that the chosen backend has", () => {
  expect(profileChoice(SETTINGS, { backend: "", profile: "" })).toEqual({
    chosen: "default",
    offered: ["strict", "default", "dev"],
    lackedBy: undefined,
  });
  expect(profileChoice(SETTINGS, { backend: "containerd", profile: "strict" })).toEqual({
    chosen: "strict",
    offered: ["strict", "default"],
    lackedBy: undefined,
  });
});

test("a profile that was chosen before its backend changed stays to be seen, with the backend that lacks it", () => {
  expect(profileChoice(SETTINGS, { backend: "containerd", profile: "dev" })).toEqual({
    chosen: "dev",
    offered: ["strict", "default", "dev"],
    lackedBy: CONTAINERD,
  });
  const usual = { ...SETTINGS, defaults: { ...SETTINGS.defaults, profile: "dev" as const } };
  expect(profileChoice(usual, { backend: "containerd", profile: "" })?.lackedBy).toEqual(CONTAINERD);
  expect(profileChoice(usual, { backend: "none", profile: "" })).toEqual({
    chosen: "default",
    offered: ["default"],
    lackedBy: undefined,
  });
});

test("a backend that does not work takes no profile away, and a server without profiles has none to choose", () => {
  const broken = { ...CONTAINERD, works: false, profiles: [] };
  const choice = profileChoice({ ...SETTINGS, backends: [broken] }, { backend: "containerd", profile: "dev" });
  expect(choice).toEqual({ chosen: "dev", offered: ["strict", "default", "dev"], lackedBy: undefined });
  expect(profileChoice({ backends: [DOCKER], defaults: { backend: "docker" } }, { backend: "", profile: "" })).toBe(
    undefined,
  );
});
