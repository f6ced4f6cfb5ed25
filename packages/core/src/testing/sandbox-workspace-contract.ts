import { expect, test } from "vitest";
import { callsOf, type SandboxOpener } from "./sandbox-fixture.ts";

const FIND = { path: ".", ignoreCase: false, contextLines: 0, limit: 100, capBytes: 10_000 } as const;

export function sandboxWorkspaceContract(name: string, open: SandboxOpener): void {
  searching(name, open);
  comparing(name, open);
}

function searching(name: string, open: SandboxOpener): void {
  test(`${name}: content is found by expression, sorted, ignored files left out`, async () => {
    const { call, shell } = callsOf((await open()).sandbox);
    await shell(
      "mkdir -p b .git; echo needle > b/two.txt; echo 'a needle' > a.txt; echo needle > no.log; echo '*.log' > .gitignore",
    );
    const found = await call("search.content", { ...FIND, pattern: "ne+dle" });
    expect(found).toEqual({ text: "a.txt:1:a needle\nb/two.txt:1:needle", matches: 2, files: 2, more: false });
    expect(await call("search.content", { ...FIND, pattern: "needle", limit: 1 })).toMatchObject({
      matches: 1,
      more: true,
    });
    expect(await call("search.content", { ...FIND, pattern: "--files" })).toMatchObject({ matches: 0 });
    await expect(call("search.content", { ...FIND, pattern: "(" })).rejects.toMatchObject({ code: "search_failed" });
  });

  test(`${name}: files are found by glob, newest first`, async () => {
    const { call, shell } = callsOf((await open()).sandbox);
    await shell("mkdir -p src; touch -d '2020-01-01' src/old.ts; touch -d '2021-01-01' new.ts; touch other.md");
    const found = await call("search.files", { glob: "*.ts", path: ".", limit: 10 });
    expect(found).toEqual({ paths: ["new.ts", "src/old.ts"], more: false });
    expect(await call("search.files", { glob: "src/**", path: ".", limit: 10 })).toMatchObject({
      paths: ["src/old.ts"],
    });
  });
}

function comparing(name: string, open: SandboxOpener): void {
  test(`${name}: changes since the start are told by file, with counts, and as a patch`, async () => {
    const { call, shell, write } = callsOf((await open()).sandbox);
    await shell(
      "printf 'one\\ntwo\\n' > kept.txt; echo gone > gone.txt; seq 1 30 > moved.txt; printf 'a\\0' > image.bin",
    );
    expect(await call("workspace.begin", {})).toMatchObject({ files: 4 });
    await write("kept.txt", "one\n2\n");
    await write("fresh.txt", "new\n");
    await shell(
      "rm gone.txt; mv moved.txt elsewhere.txt; printf 'b\\0' > image.bin; printf x > \"$(printf 'n\\377')\"",
    );
    const { changes } = await call("workspace.changes", {});
    expect(changes).toEqual([
      { path: "elsewhere.txt", oldPath: "moved.txt", status: "renamed", added: 0, removed: 0, binary: false },
      { path: "fresh.txt", status: "added", added: 1, removed: 0, binary: false },
      { path: "gone.txt", status: "deleted", added: 0, removed: 1, binary: false },
      { path: "image.bin", status: "modified", binary: true },
      { path: "kept.txt", status: "modified", added: 1, removed: 1, binary: false },
      { path: "n\\xff", status: "added", added: 1, removed: 0, binary: false },
    ]);
    const file = await call("workspace.file", { path: "kept.txt", capBytes: 1000 });
    expect(file).toEqual({ before: btoa("one\ntwo\n"), after: btoa("one\n2\n"), binary: false });
    const patch = await call("workspace.patch", { offset: 0, length: 100_000 });
    expect(atob(patch.data)).toContain("-two\n+2\n");
    expect(patch.size).toBe(atob(patch.data).length);
  });

  test(`${name}: a repository's own settings run nothing, and repositories within do no harm`, async () => {
    const { call, shell } = callsOf((await open()).sandbox);
    const commit = "git -c user.name=n -c user.email=e@e commit -q --allow-empty -m m";
    await shell(`git init -q . && echo a > a.txt && git add . && ${commit} && git init -q nested && touch nested/x
      git init -q sub && (cd sub && ${commit})
      git config core.fsmonitor 'touch pwned' && git config filter.evil.clean 'touch pwned; cat'
      echo '*.txt filter=evil' > .gitattributes; printf '#!/bin/sh\\ntouch pwned\\n' > .git/hooks/post-index-change; chmod +x .git/hooks/*`);
    const start = await call("workspace.begin", {});
    expect(start.commit).toMatch(/^[0-9a-f]{40}$/);
    await shell("echo b > a.txt");
    const { changes } = await call("workspace.changes", {});
    expect(changes).toEqual([{ path: "a.txt", status: "modified", added: 1, removed: 1, binary: false }]);
    expect(await shell("ls pwned 2>/dev/null | wc -l")).toMatch(/^\s*0\n$/);
  });

  test(`${name}: a path that can be no path is refused as such`, async () => {
    const { call } = callsOf((await open()).sandbox);
    for (const path of ["a".repeat(300), "zero\0byte"]) {
      const asked = call("workspace.file", { path, capBytes: 1000 });
      await expect(asked, path).rejects.toMatchObject({ code: "tool_arguments" });
    }
  });
}
