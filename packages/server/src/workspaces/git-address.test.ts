import { expect, test } from "vitest";
import { checkBranchName, checkGitAddress } from "./git-address.ts";

const refusal = (check: () => void) => {
  try {
    check();
    return "taken";
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

test("addresses of repositories elsewhere are taken", () => {
  const addresses = [
    "https://example.org/team/project.git",
    "http://example.org:8080/project",
    "ssh://git@example.org:2222/project.git",
    "git@example.org:team/project.git",
    "example.org:project.git",
  ];
  expect(addresses.map((url) => refusal(() => checkGitAddress(url, false)))).toEqual(addresses.map(() => "taken"));
});

test("what git would run, read as an option, or find on this machine is refused", () => {
  const addresses = [
    "ext::sh -c id",
    "ext::id",
    "--upload-pack=id",
    "-oProxyCommand=id",
    "ssh://-oProxyCommand=id/x",
    "-x@example.org:project",
    "git@-example.org:project",
    "fd::7",
    "https://user:secret@example.org/project",
    "https://token@example.org/project",
    "ftp://example.org/project",
    "../project",
    "project",
    "https://example.org/a b",
    "https://example.org/\n",
    "file:///etc",
    "/etc",
  ];
  expect(addresses.filter((url) => refusal(() => checkGitAddress(url, false)) !== "source_invalid")).toEqual([]);
});

test("places on this machine are taken where they are allowed", () => {
  expect(refusal(() => checkGitAddress("/srv/project.git", true))).toBe("taken");
  expect(refusal(() => checkGitAddress("file:///srv/project.git", true))).toBe("taken");
});

test("branch names that git refuses or takes for options are refused", () => {
  const bad = [
    "-f",
    "a..b",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "/a",
    "a/",
    "a//b",
    "a.lock",
    "@",
    "a@{1}",
    ".a",
    "a/.b",
    "a.",
  ];
  expect(bad.filter((name) => refusal(() => checkBranchName(name)) !== "source_invalid")).toEqual([]);
  const good = ["main", "fix/login-2", "handrail/ümlaut", "v1.2"];
  expect(good.map((name) => refusal(() => checkBranchName(name)))).toEqual(good.map(() => "taken"));
});
