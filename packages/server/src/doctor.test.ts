import { tmpdir } from "node:os";
import type { BackendInfo } from "@handrail/protocol/settings";
import type { SandboxProfile } from "@handrail/protocol/sources";
import { expect, test } from "vitest";
import { type DoctorParts, examine } from "./doctor.ts";

const WORKS = { works: true, detail: "It runs.", profiles: ["strict", "default", "dev"] } as const;

const PARTS: DoctorParts = {
  home: tmpdir(),
  path: "",
  profiles: WORKS.profiles,
  backends: async () => [],
  testModel: async () => undefined,
  weakMasterKey: undefined,
  noPreviews: undefined,
};

/** What is said of these backends. */
async function saidOf(backends: readonly BackendInfo[], profiles: readonly SandboxProfile[] = WORKS.profiles) {
  const parts = { ...PARTS, profiles, backends: async () => backends };
  const names = ["Docker", "Bubblewrap", "containerd", "No isolation"];
  return (await examine(parts, AbortSignal.timeout(5000))).filter(({ name }) => names.includes(name));
}

test("a backend that works is so, with a warning where there is something to do, and missing where it does not", async () => {
  expect(
    await saidOf([
      { ...WORKS, name: "docker" },
      { ...WORKS, name: "process", remedy: "Do more." },
      { name: "containerd", works: false, detail: "It is gone.", remedy: "Start it.", profiles: [] },
    ]),
  ).toEqual([
    { name: "Docker", state: "ok", detail: "It runs." },
    { name: "Bubblewrap", state: "warning", detail: "It runs.", remedy: "Do more." },
    { name: "containerd", state: "missing", detail: "It is gone.", remedy: "Start it." },
  ]);
});

test("a backend without a profile that conversations may have works in part, and says what that means", async () => {
  const plain = { ...WORKS, name: "containerd", profiles: ["strict", "default"] } as const;
  const remedy =
    "Conversations with the profile dev need another backend. Where none needs it, leave it out of sandbox-profiles.";
  expect(await saidOf([plain, { ...plain, remedy: "Do more." }])).toEqual([
    { name: "containerd", state: "partial", detail: "It runs.", remedy },
    { name: "containerd", state: "partial", detail: "It runs.", remedy: `Do more. ${remedy}` },
  ]);
  expect(await saidOf([plain], ["strict", "default"])).toEqual([
    { name: "containerd", state: "ok", detail: "It runs." },
  ]);
  expect(await saidOf([{ ...WORKS, name: "none", profiles: ["default"] }])).toEqual([
    { name: "No isolation", state: "ok", detail: "It runs." },
  ]);
});

test("previews that are off are told, with why and what to do, and those that are on are not", async () => {
  const noPreviews = { detail: "Off: nobody knows where.", remedy: "Set an address." };
  const said = async (parts: DoctorParts) =>
    (await examine(parts, AbortSignal.timeout(5000))).filter(({ name }) => name === "Previews");
  expect(await said({ ...PARTS, noPreviews })).toEqual([{ name: "Previews", state: "warning", ...noPreviews }]);
  expect(await said(PARTS)).toEqual([]);
});
