import type { NetworkPreset } from "@handrail/protocol/network";

const npm = ["registry.npmjs.org", "registry.yarnpkg.com"];
const pypi = ["pypi.org", "files.pythonhosted.org"];
const crates = ["crates.io", "index.crates.io", "static.crates.io", "static.rust-lang.org"];
const go = ["proxy.golang.org", "sum.golang.org"];
const maven = ["repo.maven.apache.org", "repo1.maven.org", "plugins.gradle.org", "services.gradle.org"];
const rubygems = ["rubygems.org", "index.rubygems.org"];
const debian = [
  "deb.debian.org",
  "security.debian.org",
  "archive.ubuntu.com",
  "security.ubuntu.com",
  "ports.ubuntu.com",
];
const git = [
  "github.com",
  "codeload.github.com",
  "objects.githubusercontent.com",
  "raw.githubusercontent.com",
  "gitlab.com",
  "bitbucket.org",
  "codeberg.org",
  "git.sr.ht",
];

/**
 * The hosts behind each preset of a network rule: exact names, or suffixes that start with a dot. `everything` names
 * none: it is not a set of hosts. `repository` is another one in each conversation.
 */
export const PRESET_HOSTS: Readonly<Record<Exclude<NetworkPreset, "everything">, readonly string[]>> = {
  registries: [...npm, ...pypi, ...crates, ...go, ...maven, ...rubygems, ...debian],
  npm,
  pypi,
  crates,
  go,
  maven,
  rubygems,
  debian,
  repository: [],
  git,
};
