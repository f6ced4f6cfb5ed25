import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { textOf } from "@handrail/protocol/content";
import type { StoredEvent } from "@handrail/protocol/events";
import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conversationIdOf, launchBrowser, openAgain, panel, PHONE, screenshot, signIn } from "./support/browser.ts";
import { runEnd } from "./support/conversations.ts";
import { docutilsScript } from "./support/docutils-script.ts";
import { type GitHost, startGitHost } from "./support/git-host.ts";
import { scriptedEnvironment } from "./support/model-env.ts";
import { realRepository } from "./support/real-repository.ts";
import { workingBackends } from "./support/sandbox-kills.ts";
import { ROOT, startServer } from "./support/test-server.ts";

const backend = workingBackends().includes("docker") ? "docker" : "process";
const TASK = "Make docutils.utils.uniq linear, with tests.";
const SETUP = "echo ready";
const FILES = ["docutils/utils/__init__.py", "test/test_utils/test__init__.py"];

let work: string;
let host: GitHost;
let model: ScriptedModel;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), "handrail-main-job-"));
  await cp(await realRepository(), path.join(work, "host"), { recursive: true });
  await ignoreWrittenFiles(path.join(work, "host/docutils.git"));
  host = await startGitHost(path.join(work, "host"));
  ({ model, env } = await scriptedEnvironment(docutilsScript));
  process.stdout.write(`The main job runs in a ${backend} sandbox.\n`);
});
afterAll(async () => {
  await host?.close();
  await model?.close();
  await rm(work, { recursive: true, force: true });
});

const url = () => `${host.url}/docutils.git`;
const run = promisify(execFile);
/** Not waited for in the way of the git host, which lives in this process. */
const git = async (...args: string[]) => (await run("git", args)).stdout.trim();

/** A source release leaves out the project's `.gitignore`, and running the suite writes compiled files and output. */
async function ignoreWrittenFiles(bare: string): Promise<void> {
  const clone = path.join(work, "author");
  await git("clone", "--quiet", bare, clone);
  await writeFile(path.join(clone, ".gitignore"), "*.pyc\nalltests.out\ntest/functional/output/*.odt\n");
  await git("-C", clone, "add", ".gitignore");
  const author = ["-c", "user.name=Test", "-c", "user.email=t@example.org"];
  await git("-C", clone, ...author, "commit", "--quiet", "-m", "Ignore what the suite writes");
  await git("-C", clone, "push", "--quiet", "origin", "main");
}

/**
 * The suite ran twice: as it was, and with the two new cases. How many cases there are depends on the Python packages
 * of the sandbox; one of them fails where the repository lies directly under the root directory, before and after.
 */
function checkSuiteRan(log: readonly StoredEvent[]): void {
  const runs = log
    .flatMap(({ event }) => (event.type === "call.ended" ? [textOf(event.content)] : []))
    .flatMap((output) => {
      const [, cases = "", verdict = ""] = /^Ran (\d+) tests in .*\n+(OK|FAILED)/m.exec(output) ?? [];
      return Number(cases) > 1000 ? [{ cases: Number(cases), verdict, failures: failuresIn(output) }] : [];
    });
  const before = runs[0];
  process.stdout.write(`The suite before the change: ${JSON.stringify(before)}.\n`);
  expect(before?.cases).toBeGreaterThanOrEqual(1636);
  expect(runs).toEqual([before, { ...before, cases: (before?.cases ?? 0) + 2 }]);
}

const failuresIn = (output: string) => Number(/failures=(\d+)/.exec(output)?.[1] ?? 0);

/** The patch, applied to a fresh clone: the files that it changes, and the new tests pass. */
async function checkPatch(patch: string, name: string): Promise<void> {
  const clone = path.join(work, name);
  await git("clone", "--quiet", url(), clone);
  await git("-C", clone, "apply", "--index", patch);
  expect((await git("-C", clone, "diff", "--cached", "--name-only")).split("\n")).toEqual(FILES);
  expect(await git("-C", clone, "diff", "--cached")).toContain("+        return list(dict.fromkeys(L))");
  await run("python3", ["test/test_utils/test__init__.py"], { cwd: clone });
}

test("through the page: cloned, tested, changed, tested, downloaded and pushed", { timeout: 300_000 }, async () => {
  const browser = await launchBrowser();
  const server = await startServer({ env });
  try {
    const user = await signIn(browser, server);
    const { page } = user;
    await page.getByRole("link", { name: "New", exact: true }).first().click();
    await page.getByText("Git URL", { exact: true }).click();
    await page.getByLabel("Repository URL").fill(url());
    await page.getByRole("textbox", { name: "Task" }).fill(TASK);
    await page.getByText("Model, sandbox, network, set-up and limits").click();
    await page.getByLabel("Sandbox", { exact: true }).selectOption(backend);
    await page.getByRole("group", { name: "Set-up" }).getByText("This command").click();
    await page.getByLabel("Set-up command").fill(SETUP);
    await screenshot(page, "new-conversation-1440-light");
    await page.getByRole("button", { name: "Start" }).click();
    const id = await conversationIdOf(page);
    const { outcome, log } = await runEnd(server.client, id, 240_000);
    expect(outcome).toBe("done");
    expect(log[0]?.event).toMatchObject({ setup: { type: "command", command: SETUP } });
    expect(log.find(({ event }) => event.type === "sandbox.started")?.event).toMatchObject({ backend });
    checkSuiteRan(log);
    const changed = panel(page, "Changes").getByRole("list", { name: "Changed files" }).getByRole("button");
    await expect.poll(() => changed.count()).toBe(2);
    await panel(page, "Changes").getByText("list(dict.fromkeys(L))").waitFor();
    await screenshot(page, "docutils-1440-light");

    await page.getByRole("button", { name: "Take the result" }).click();
    const downloading = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: "Download a patch" }).click();
    await checkPatch(await (await downloading).path(), "page-clone");

    await page.getByRole("button", { name: "Take the result" }).click();
    await page.getByRole("menuitem", { name: "Commit and push" }).click();
    const dialog = page.getByRole("dialog", { name: "Commit and push" });
    await dialog.getByLabel("Branch").fill("handrail/uniq");
    await dialog.getByLabel("Commit message").fill("Make uniq linear");
    await screenshot(page, "push-1440-light");
    await dialog.getByRole("button", { name: "Commit and push" }).click();
    await page.getByText(/^Pushed to .*handrail\/uniq/).waitFor();
    const bare = path.join(work, "host/docutils.git");
    expect(await git("-C", bare, "log", "--format=%s", "main..handrail/uniq")).toBe("Make uniq linear");
    expect((await git("-C", bare, "diff", "--name-only", "main", "handrail/uniq")).split("\n")).toEqual(FILES);

    for (const [name, look] of [
      ["docutils-1440-dark", { colorScheme: "dark" }],
      ["docutils-390-light", { viewport: PHONE }],
    ] as const) {
      const other = await openAgain(browser, user, look);
      await other.page.goto(page.url());
      await other.page.getByText("Make uniq linear").or(other.page.getByText("dict.fromkeys")).first().waitFor();
      await screenshot(other.page, name);
      await other.context.close();
    }
    expect(user.problems).toEqual([]);
  } finally {
    await browser.close();
    await server.dispose();
  }
});

test(
  "through the terminal: events as JSON Lines, exit code 0, a patch that applies",
  { timeout: 300_000 },
  async () => {
    const patch = path.join(work, "cli.patch");
    const args = ["--repo", url(), "--sandbox", backend, "--json", "--output", patch];
    const home = path.join(work, "home");
    const { code, out, error } = await handrail(["run", TASK, ...args], { ...env, HANDRAIL_HOME: home });
    expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
    const lines = out.trim().split("\n");
    const log = lines.map((line) => JSON.parse(line) as StoredEvent).filter((line) => typeof line.seq === "number");
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index));
    expect(log.findLast(({ event }) => event.type === "run.ended")?.event).toMatchObject({ outcome: "done" });
    checkSuiteRan(log);
    expect(await readFile(patch, "utf8")).toContain("dict.fromkeys");
    await checkPatch(patch, "cli-clone");
    // The command leaves the conversation to be resumed, and so its sandbox.
    await (await startServer({ home })).dispose();
  },
);

async function handrail(args: readonly string[], settings: Readonly<Record<string, string>>) {
  const program = path.join(ROOT, "packages/cli/bin/handrail.mjs");
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: work,
    env: { PATH, HOME, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (error += bytes.toString()));
  const code = await new Promise<number | null>((resolve) => void child.once("close", resolve));
  return { code, out, error };
}
