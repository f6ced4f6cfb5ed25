import type { OperationArgs, OperationName } from "@handrail/protocol/sandboxd/operations";
import type { Attack, Verdict } from "../attack.ts";
import type { StagedSandbox } from "../stage.ts";

/** An attack by what lies in a workspace or is printed: the sandbox sets a trap, the call comes from outside. */
export type WorkspaceAttack = Attack & { readonly run: (sandbox: StagedSandbox) => Promise<Verdict> };

/** Calls an operation as the server does; the answer as text, or the code of its failure. */
export async function answer<Name extends OperationName>(
  { sandbox }: StagedSandbox,
  operation: Name,
  args: OperationArgs<Name>,
): Promise<string> {
  try {
    return JSON.stringify(await sandbox.call(operation, args, { signal: AbortSignal.timeout(20_000) }));
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown) return `refused: ${String(thrown.code)}`;
    throw thrown;
  }
}

const read = (path: string) =>
  ({ path, fromLine: 1, maxLines: 100, capBytes: 10_000, within: "workspace" }) satisfies OperationArgs<"file.read">;

const PWNED = "/tmp/attack-pwned";
const CANARY_PROGRAM = `printf '#!/bin/sh\\ntouch ${PWNED}\\ncat\\n' > /tmp/attack.sh; chmod +x /tmp/attack.sh;`;

/** Whether git, as Handrail uses it, ran a program that the workspace names; `control` shows that plain git does. */
async function gitRuns(sandbox: StagedSandbox, trap: string, control: string): Promise<Verdict> {
  const begin = `rm -rf /workspace/* /workspace/.git ${PWNED}; cd /workspace; ${CANARY_PROGRAM}
    git init -q .; git config user.email a@b; git config user.name a; echo one > file; git add file; git commit -qm one;`;
  await sandbox.shell(`${begin} ${trap} echo two >> file`);
  await answer(sandbox, "workspace.begin", {});
  await answer(sandbox, "workspace.changes", {});
  await answer(sandbox, "workspace.patch", { offset: 0, length: 100_000 });
  const { output } = await sandbox.shell(`test -e ${PWNED} && echo ran`);
  if (output.includes("ran")) return "BREACH a program of the workspace ran";
  const shown = await sandbox.shell(`cd /workspace; (${control}) >/dev/null 2>&1; test -e ${PWNED} && echo ran`);
  return shown.output.includes("ran") ? "HELD though plain git runs it" : "BREACH, or the trap does not work";
}

const INERT = "a repository of its own, with hooks, helpers and filters off";

const git = (id: string, tries: string, trap: string, control: string): WorkspaceAttack => ({
  id: `git.${id}`,
  tries,
  stoppedBy: INERT,
  run: (sandbox) => gitRuns(sandbox, trap, control),
});

const GIT: readonly WorkspaceAttack[] = [
  git(
    "fsmonitor",
    "have Handrail's git run a program by core.fsmonitor",
    "git config core.fsmonitor /tmp/attack.sh;",
    "git status",
  ),
  git(
    "filter",
    "have Handrail's git run a program by a filter of the repository",
    "git config filter.x.clean /tmp/attack.sh; echo '* filter=x' > .gitattributes;",
    "git add -A",
  ),
  git(
    "text-conversion",
    "have Handrail's git run a program by a way to show files",
    "git config diff.x.textconv /tmp/attack.sh; echo '* diff=x' > .gitattributes;",
    "git diff",
  ),
  git(
    "external-diff",
    "have Handrail's git run a program by diff.external",
    "git config diff.external /tmp/attack.sh;",
    "git --no-pager diff",
  ),
  git(
    "hooks",
    "have Handrail's git run hooks",
    "for h in pre-commit post-checkout reference-transaction post-index-change; do cp /tmp/attack.sh .git/hooks/$h; done; git config core.hooksPath .git/hooks; rm -f " +
      PWNED +
      ";",
    "git add -A && git commit -m x",
  ),
  git(
    "include",
    "have Handrail's git run a program by a configuration that is included",
    "printf '[core]\\n\\tfsmonitor = /tmp/attack.sh\\n' > .evil; git config include.path ../.evil;",
    "git status",
  ),
];

/** A racer flips a path between a file inside and one outside while it is asked for 500 times. */
async function race(sandbox: StagedSandbox, ask: (path: string) => Promise<string>): Promise<readonly string[]> {
  await sandbox.shell(`rm -rf /workspace/flip /tmp/outside; mkdir -p /tmp/outside; echo OUTSIDE > /tmp/outside/file`);
  const flip = `import os, time
os.chdir("/workspace")
os.makedirs("real", exist_ok=True); open("real/file", "w").write("inside")
end = time.time() + 4
while time.time() < end and not os.path.exists("/tmp/stop"):
    for target in ("real", "/tmp/outside"):
        try: os.symlink(target, "next"); os.rename("next", "flip")
        except OSError: pass
`;
  const racer = sandbox.shell(`rm -f /tmp/stop; python3 - <<'END'\n${flip}\nEND`);
  await sandbox.shell("until [ -e /workspace/flip ]; do sleep 0.01; done");
  const answers: string[] = [];
  for (let at = 0; at < 500; at += 1) answers.push(await ask("flip/file"));
  await sandbox.shell("touch /tmp/stop");
  await racer;
  return answers;
}

const counts = (answers: readonly string[], part: string) => answers.filter((text) => text.includes(part)).length;

const FILES: readonly WorkspaceAttack[] = [
  {
    id: "files.race-read",
    tries: "swap a link while a file is read, so that one from outside the workspace is",
    stoppedBy: "links resolved first, and what is opened holds no link",
    run: async (sandbox) => {
      const answers = await race(sandbox, (path) => answer(sandbox, "file.read", read(path)));
      if (counts(answers, "OUTSIDE") > 0) return `BREACH ${counts(answers, "OUTSIDE")} of 500`;
      const [inside, refused] = [counts(answers, "inside"), counts(answers, "path_outside")];
      return inside > 0 && refused > 0 ? `HELD ${inside} inside, ${refused} refused` : "BREACH, or there was no race";
    },
  },
  {
    id: "files.race-list",
    tries: "swap a link while a directory is listed, so that one from outside the workspace is",
    stoppedBy: "links resolved first",
    run: async (sandbox) => {
      const args = { limit: 10, within: "workspace" } as const;
      const answers = await race(sandbox, () => answer(sandbox, "file.list", { path: "flip", ...args }));
      const [inside, refused] = [counts(answers, "file"), counts(answers, "path_outside")];
      return inside > 0 && refused > 0 ? `HELD ${inside} listed, ${refused} refused` : "BREACH, or there was no race";
    },
  },
  {
    id: "files.link-out",
    tries: "have a file outside the workspace read through links",
    stoppedBy: "links resolved before anything is opened",
    run: async (sandbox) => {
      await sandbox.shell(
        "cd /workspace; ln -sfn / top; ln -sf /etc/passwd direct; ln -sf top/etc/passwd over; ln -sfn .. up",
      );
      const paths = [
        "top/etc/passwd",
        "direct",
        "over",
        "up/etc/passwd",
        "../etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
      ];
      const answers = await Promise.all(paths.map((path) => answer(sandbox, "file.read", read(path))));
      return answers.every((text) => text === "refused: path_outside")
        ? "HELD path_outside"
        : `BREACH ${answers.join(" ")}`;
    },
  },
  {
    id: "files.pipe",
    tries: "hang the server by a pipe, a socket or a device in the place of a file",
    stoppedBy: "only regular files are opened, without waiting",
    run: async (sandbox) => {
      await sandbox.shell("cd /workspace; rm -f pipe; mkfifo pipe; ln -sf /dev/zero zero");
      const [pipe, zero] = [
        await answer(sandbox, "file.read", read("pipe")),
        await answer(sandbox, "file.read", { ...read("zero"), within: "sandbox" }),
      ];
      return pipe === "refused: path_not_file" && zero === pipe ? `HELD ${pipe}` : `BREACH ${pipe} ${zero}`;
    },
  },
  {
    id: "files.names",
    tries: "break out of listings and commands by names with line ends, options and escape codes",
    stoppedBy: "names passed as bytes, with zero bytes between them",
    run: async (sandbox) => {
      await sandbox.shell(`rm -rf /workspace/* /workspace/.git ${PWNED}`);
      await answer(sandbox, "workspace.begin", {});
      await sandbox.shell(
        `cd /workspace; touch -- '-rf' '--help' '$(touch attack-pwned)' '; touch attack-pwned' "$(printf 'a\\nb')" "$(printf '\\033[31m')"`,
      );
      const listed = await answer(sandbox, "file.list", { path: ".", limit: 100, within: "workspace" });
      const changed = await answer(sandbox, "workspace.changes", {});
      const names = ["-rf", "--help", "$(touch attack-pwned)", "; touch attack-pwned", "a\\\\x0ab", "\\\\x1b[31m"];
      const whole = names.every((name) => counts([listed, changed], `"${name}"`) === 2);
      const { output } = await sandbox.shell("ls / /workspace /tmp ~ | grep -x attack-pwned");
      return whole && output === "" ? "HELD all names came whole" : `BREACH ${output} ${listed} ${changed}`;
    },
  },
];

const printed = (id: string, tries: string, print: string): WorkspaceAttack => ({
  id: `terminal.${id}`,
  tries,
  stoppedBy: "control codes taken out of what reaches the log and the model",
  run: async (sandbox) => {
    const args = { terminal: "main", timeoutMs: 10_000, capBytes: 20_000 };
    const said = await answer(sandbox, "terminal.run", { ...args, command: `printf 'begin${print}end\\n'` });
    const { output } = JSON.parse(said) as { readonly output: string };
    const clean = /^begin[\s\S]*end\n$/.test(output) && !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(output);
    const next = await answer(sandbox, "terminal.run", { ...args, command: "echo calm" });
    const calm = (JSON.parse(next) as { readonly output: string }).output === "calm\n";
    return clean && calm && !output.includes("PAYLOAD") ? "HELD clean" : `BREACH ${JSON.stringify(output)} ${next}`;
  },
});

const TERMINAL: readonly WorkspaceAttack[] = [
  printed("clipboard", "write to the user's clipboard (OSC 52)", "\\033]52;c;UEFZTE9BRA==PAYLOAD\\007"),
  printed("title", "set the title, and have it typed into the shell", "\\033]0;PAYLOAD\\007\\033[21t"),
  printed(
    "report",
    "have the terminal answer, which types into the shell",
    "\\033P$qPAYLOAD\\033\\\\\\\\\\033[6n\\033[c\\005",
  ),
  printed(
    "link",
    "show a link that leads elsewhere",
    "\\033]8;;http://PAYLOAD/\\033\\\\\\\\text\\033]8;;\\033\\\\\\\\",
  ),
  printed("picture", "draw pictures that cost without end", "\\033Pq#0;2;0;0;0PAYLOAD!999999999~\\033\\\\\\\\"),
  printed("bytes", "send bytes that are no text", "\\377\\376\\200\\303\\050\\233\\0612m"),
  printed("erase", "hide what ran by clearing the screen", "\\033[2J\\033[H\\033[?1049h\\033c"),
];

/** Traps in a workspace, and what a terminal prints. */
export const WORKSPACE_ATTACKS: readonly WorkspaceAttack[] = [...FILES, ...GIT, ...TERMINAL];
