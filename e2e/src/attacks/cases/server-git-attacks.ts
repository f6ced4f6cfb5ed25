import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { WorkspaceSource } from "@handrail/protocol/sources";
import type { Attack, Verdict } from "../attack.ts";

/** What an attack on the server's own git may use. It runs on the host, where that git does. */
export type GitTarget = {
  /** A directory for this attack alone. */
  readonly root: string;
  /** Makes a workspace of a source as the server does; gives its directory, or the code of the failure. */
  readonly seed: (source: WorkspaceSource) => Promise<string>;
  /** Applies what a sandbox gave out as its patch to a folder, as the server does; gives "done" or the code. */
  readonly apply: (folder: string, patch: string) => Promise<string>;
};

/** An attack by a repository or a patch on git as the server runs it, outside any sandbox. */
export type ServerGitAttack = Attack & { readonly run: (target: GitTarget) => Promise<Verdict> };

const OWN = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_ALLOW_PROTOCOL: "file:ext" };
const WHO = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.ext.allow=always"];

/** git of the attacker, and of who uses it without care. */
function git(cwd: string, args: readonly string[], input = ""): string {
  const env = { PATH: process.env["PATH"], HOME: cwd, ...OWN };
  return execFileSync("git", [...WHO, ...args], {
    cwd,
    env,
    input,
    encoding: "utf8",
    stdio: "pipe",
    timeout: 10_000,
  }).trim();
}

function carelessly(cwd: string, args: readonly string[]): void {
  try {
    git(cwd, args);
  } catch {
    // Whether the trap went off is seen by what it left.
  }
}

type Trap = { readonly root: string; readonly source: string; readonly program: string; readonly pwned: string };

/** A repository with one commit, and a program that leaves a file when it is run. */
function trapIn(root: string): Trap {
  const [source, program, pwned] = ["source", "program.sh", "pwned"].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(source);
  writeFileSync(program, `#!/bin/sh\ntouch ${pwned}\n`, { mode: 0o755 });
  git(source, ["init", "-q", "-b", "main"]);
  writeFileSync(path.join(source, "file"), "one\n");
  commitAll(source);
  return { root, source, program, pwned };
}

function commitAll(source: string): void {
  git(source, ["add", "-A"]);
  git(source, ["commit", "-qm", "more", "--allow-empty"]);
}

const cloned = (id: string, tries: string, stoppedBy: string, how: Clone): ServerGitAttack => ({
  id: `server-git.${id}`,
  tries,
  stoppedBy,
  run: async ({ root, seed }) => {
    const trap = trapIn(root);
    how.set(trap);
    const url = how.url?.(trap) ?? trap.source;
    const made = await seed({ type: "git", url, ...how.branch?.(trap) });
    if (existsSync(trap.pwned)) return `BREACH a program of the repository ran (${made})`;
    how.control(trap);
    return existsSync(trap.pwned) ? `HELD ${path.isAbsolute(made) ? "cloned" : made}` : "BREACH, or the trap is none";
  },
});

type Clone = {
  readonly set: (trap: Trap) => void;
  readonly url?: (trap: Trap) => string;
  readonly branch?: (trap: Trap) => { readonly branch: string };
  /** What sets the trap off where nobody takes care. */
  readonly control: (trap: Trap) => void;
};

const hook = ({ source, program }: Trap, name: string) => symlinkSync(program, path.join(source, ".git/hooks", name));

const NO_SUBMODULES = "submodules are not fetched, and no protocol that runs programs";

const CLONES: readonly ServerGitAttack[] = [
  cloned("hooks", "run the hooks of a repository that is cloned", "hooks and templates off", {
    set: (trap) => ["post-checkout", "post-merge", "reference-transaction"].forEach((name) => hook(trap, name)),
    control: ({ source }) => carelessly(source, ["checkout", "-q", "-b", "other"]),
  }),
  cloned("filter", "run a program as a filter that the repository's files ask for", "configuration is not cloned", {
    set: ({ source, program }) => {
      writeFileSync(path.join(source, ".gitattributes"), "* filter=x diff=x merge=x\n");
      git(source, ["config", "filter.x.smudge", program]);
      commitAll(source);
      git(source, ["config", "filter.x.clean", program]);
    },
    control: ({ source }) => {
      writeFileSync(path.join(source, "file"), "two\n");
      carelessly(source, ["add", "-A"]);
    },
  }),
  cloned("submodule", "run a program as the address of a submodule", NO_SUBMODULES, {
    set: ({ source, program }) => {
      const lines = ['[submodule "m"]', "path = m", `url = ext::${program}`, `update = !${program}`];
      writeFileSync(path.join(source, ".gitmodules"), `${lines.join("\n")}\n`);
      git(source, ["add", ".gitmodules"]);
      const commit = git(source, ["rev-parse", "HEAD"]);
      git(source, ["update-index", "--add", "--cacheinfo", `160000,${commit},m`]);
      git(source, ["commit", "-qm", "m"]);
    },
    control: ({ source, root, program }) => {
      carelessly(root, ["clone", "-q", "--", source, "careless"]);
      carelessly(path.join(root, "careless"), ["clone", "-q", `ext::${program}`, "m2"]);
    },
  }),
  cloned("helper-address", "run a program as the address of the repository", "addresses of known kinds only", {
    set: () => undefined,
    url: ({ program }) => `ext::${program}`,
    control: ({ root, program }) => carelessly(root, ["clone", "-q", `ext::${program}`, "careless"]),
  }),
  cloned("option-address", "have the address taken for an option", "addresses of known kinds only", {
    set: () => undefined,
    url: ({ program }) => `--upload-pack=${program}`,
    control: ({ root, source, program }) => carelessly(root, ["clone", "-q", `--upload-pack=${program}`, source, "c"]),
  }),
  cloned("option-branch", "have the branch taken for an option", "names that git would refuse are refused", {
    set: () => undefined,
    branch: ({ program }) => ({ branch: `--upload-pack=${program}` }),
    control: ({ root, source, program }) => carelessly(root, ["clone", "-q", `--upload-pack=${program}`, source, "c"]),
  }),
];

/** A commit whose tree git would not write itself; `entries` as mktree takes them. */
function rawCommit(source: string, entries: readonly (readonly [mode: string, text: string, name: string])[]): void {
  const lines = entries.map(([mode, text, name]) => {
    const type = mode === "40000" ? "tree" : "blob";
    const id = type === "tree" ? text : git(source, ["hash-object", "-w", "--stdin"], text);
    return `${mode.padStart(6, "0")} ${type} ${id}\t${name}`;
  });
  const tree = git(source, ["mktree"], `${lines.join("\n")}\n`);
  git(source, ["update-ref", "refs/heads/main", git(source, ["commit-tree", tree, "-m", "raw"])]);
}

const HOOK = '#!/bin/sh\ntouch "$(dirname "$0")/../../ran"\n';

const CRAFTED: readonly ServerGitAttack[] = [
  {
    id: "server-git.git-directory",
    tries: "bring a .git directory with hooks in the tree of a commit",
    stoppedBy: "git takes no such path out of a tree",
    run: async ({ root, seed }) => {
      const { source } = trapIn(root);
      const hooks = git(
        source,
        ["mktree"],
        `100755 blob ${git(source, ["hash-object", "-w", "--stdin"], HOOK)}\tpost-checkout\n`,
      );
      const dir = git(source, ["mktree"], `040000 tree ${hooks}\thooks\n`);
      rawCommit(source, [
        ["40000", dir, ".git"],
        ["100644", "x\n", "x"],
      ]);
      const made = await seed({ type: "git", url: source });
      const there = path.isAbsolute(made) && existsSync(path.join(made, ".git/hooks/post-checkout"));
      return there ? "BREACH the hook is there" : `HELD ${path.isAbsolute(made) ? "cloned without" : made}`;
    },
  },
  {
    id: "server-git.link-and-directory",
    tries: "bring a link and a directory of the same name, so that files are written through the link",
    stoppedBy: "git follows no link when it writes files",
    run: async ({ root, seed }) => {
      const { source } = trapIn(root);
      const outside = path.join(root, "outside");
      mkdirSync(outside);
      const inner = git(
        source,
        ["mktree"],
        `100644 blob ${git(source, ["hash-object", "-w", "--stdin"], "x\n")}\twritten\n`,
      );
      rawCommit(source, [
        ["120000", outside, "a"],
        ["40000", inner, "a"],
      ]);
      const made = await seed({ type: "git", url: source });
      return existsSync(path.join(outside, "written"))
        ? "BREACH written outside"
        : `HELD ${path.isAbsolute(made) ? "cloned" : made}`;
    },
  },
];

/** A patch that makes a file; `lines` go between its head and its content. */
const making = (name: string, mode: string, text: string) =>
  `diff --git a/${name} b/${name}\nnew file mode ${mode}\n--- /dev/null\n+++ b/${name}\n@@ -0,0 +1 @@\n+${text}\n${mode === "120000" ? "\\ No newline at end of file\n" : ""}`;

const patched = (
  id: string,
  tries: string,
  stoppedBy: string,
  patch: (outside: string) => string,
): ServerGitAttack => ({
  id: `server-git.patch-${id}`,
  tries,
  stoppedBy,
  run: async ({ root, apply }) => {
    const { source } = trapIn(root);
    const outside = path.join(root, "outside");
    mkdirSync(outside);
    writeFileSync(path.join(outside, "kept"), "kept\n");
    symlinkSync(outside, path.join(source, "link"));
    const said = await apply(source, patch(outside));
    const kept =
      existsSync(path.join(outside, "kept")) && readFileSync(path.join(outside, "kept"), "utf8") === "kept\n";
    const wrote = [path.join(outside, "written"), path.join(source, ".git/hooks/written")].filter((file) =>
      existsSync(file),
    );
    return said === "git_failed" && kept && wrote.length === 0 ? `HELD ${said}` : `BREACH ${said} ${wrote.join(" ")}`;
  },
});

const NO_WAY_OUT = "git applies no patch to a path that leads out, into .git or over a link";

const PATCHES: readonly ServerGitAttack[] = [
  patched("outside", "write beside the user's folder by the result's patch", NO_WAY_OUT, () =>
    making("../outside/written", "100644", "x"),
  ),
  patched("git-directory", "write a hook into the user's repository by the result's patch", NO_WAY_OUT, () =>
    making(".git/hooks/written", "100755", "#!/bin/sh"),
  ),
  patched("over-link", "write through a link of the user's folder by the result's patch", NO_WAY_OUT, () =>
    making("link/written", "100644", "x"),
  ),
  patched(
    "new-link",
    "make a link by the result's patch and write through it in the same patch",
    NO_WAY_OUT,
    (outside) => making("way", "120000", outside) + making("way/written", "100644", "x"),
  ),
  patched(
    "rename",
    "move a file of the host into the folder by the result's patch",
    NO_WAY_OUT,
    () => "diff --git a/../outside/kept b/taken\nsimilarity index 100%\nrename from ../outside/kept\nrename to taken\n",
  ),
];

/** Attacks on git as the server runs it. */
export const SERVER_GIT_ATTACKS: readonly ServerGitAttack[] = [...CLONES, ...CRAFTED, ...PATCHES];
