import { expect, test } from "vitest";
import { NEW_DRAFT, readNetwork, readSandbox, readSetup, readSource } from "./source-draft.ts";

test("a source is read, or what is missing is said", () => {
  expect(readSource({ ...NEW_DRAFT, source: "empty" })).toEqual({ type: "empty" });
  expect(readSource({ ...NEW_DRAFT, folder: "/a" })).toEqual({ type: "folder", path: "/a" });
  expect(readSource(NEW_DRAFT)).toBe("Choose the folder to work on.");
  expect(readSource({ ...NEW_DRAFT, source: "git", url: " https://x/y.git " })).toEqual({
    type: "git",
    url: "https://x/y.git",
  });
  expect(readSource({ ...NEW_DRAFT, source: "git", url: "u", branch: "b" })).toEqual({
    type: "git",
    url: "u",
    branch: "b",
  });
  expect(readSource({ ...NEW_DRAFT, source: "git" })).toBe("Give the URL of the git repository.");
});

test("a network choice becomes a rule", () => {
  expect(readNetwork(NEW_DRAFT)).toBeUndefined();
  expect(readNetwork({ ...NEW_DRAFT, network: "none" })).toEqual({ type: "none" });
  expect(readNetwork({ ...NEW_DRAFT, network: "hosts", hosts: "a.org, .b.org" })).toEqual({
    type: "allow",
    presets: ["registries", "git"],
    hosts: ["a.org", ".b.org"],
  });
  expect(readNetwork({ ...NEW_DRAFT, network: "hosts", hosts: "a.org:81 POST b.org/v1/**" })).toMatchObject({
    hosts: ["a.org:81"],
    requests: [{ host: "b.org", methods: ["POST"], path: "/v1/**" }],
  });
  expect(readSandbox({ ...NEW_DRAFT, network: "hosts", hosts: "https://a.org" })).toContain("A host is a name such as");
});

test("the set-up is the repository's own, a command, or none", () => {
  const command = (setupCommand: string) => readSetup({ ...NEW_DRAFT, setup: "command", setupCommand });
  expect(readSetup(NEW_DRAFT)).toBeUndefined();
  expect(readSetup({ ...NEW_DRAFT, setupCommand: "left over" })).toBeUndefined();
  expect(readSetup({ ...NEW_DRAFT, setup: "none" })).toEqual({ type: "none" });
  expect(command(" npm ci ")).toEqual({ type: "command", command: "npm ci" });
  expect(command(" ")).toBe("Give the command of the set-up, or choose another one.");
  expect(command("x".repeat(5000))).toBe(
    "The command of the set-up is too long. Put it into a script of the repository.",
  );
});

test("what was not chosen of the sandbox is left to the server", () => {
  expect(readSandbox(NEW_DRAFT)).toBeUndefined();
  expect(readSandbox({ ...NEW_DRAFT, backend: "docker", profile: "strict", network: "none" })).toEqual({
    backend: "docker",
    profile: "strict",
    network: { type: "none" },
  });
});
