import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Script } from "@handrail/scripted-model/script";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenedPage, launchBrowser, panel, screenshot, signIn, transcript } from "../support/browser.ts";
import { startModels, useModel } from "../support/browser-model.ts";
import { readLog, runEnd } from "../support/conversations.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { startServer, type TestServer } from "../support/test-server.ts";

const backend = workingBackends().includes("docker") ? "docker" : "process";
const terminal = (command: string) => ({ tool: "terminal", arguments: { command } });
const MAKE = "echo 'print(1)' > app.py; touch empty.txt; mkdir __pycache__; echo x > __pycache__/app.cpython-313.pyc";
const SCRIPTS: readonly Script[] = [
  { name: "maker", turns: [{ calls: [terminal(MAKE)] }, { text: "Made the files." }], otherwise: { text: "Again." } },
];

let browser: Browser;
let server: TestServer;
let model: ScriptedModel;
let user: OpenedPage;
let page: Page;
let folder: string;
let id: string;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer();
  model = await startModels(SCRIPTS);
  await useModel(server, model, "maker");
  folder = await mkdtemp(path.join(tmpdir(), "handrail-e2e-folder-"));
  await writeFile(path.join(folder, "README.md"), "A project.\n");
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("-c", "user.name=Ana", "-c", "user.email=ana@example.org", "commit", "--quiet", "--message=First");
  user = await signIn(browser, server);
  ({ page } = user);
  const made = await server.client.createConversation({
    body: {
      source: { type: "folder", path: folder },
      sandbox: { backend, network: { type: "allow", presets: ["git"], hosts: [] } },
      runLimits: { maxSteps: 40 },
      content: [{ type: "text", text: "Make the files" }],
    },
  });
  ({ id } = made);
  await page.goto(`${server.url}/conversations/${id}?panel=changes`);
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  await model?.close();
  await rm(folder, { recursive: true, force: true });
});

const git = (...words: readonly string[]) =>
  execFileSync("git", ["-C", folder, ...words], { encoding: "utf8" }).trimEnd();
const settled = async () =>
  (await readLog(server.client, id)).map(({ event }) => event).filter(({ type }) => type === "conversation.configured");

test("model, network and limits of a conversation are changed by keyboard, and hold from then on", async () => {
  await transcript(page).focus();
  for (const key of "gs") await page.keyboard.press(key);
  const dialog = page.getByRole("dialog", { name: "Model, network and limits" });
  await dialog.waitFor();
  expect(page.url()).toContain("dialog=settings");
  expect(await dialog.getByRole("checkbox", { name: "git hosts" }).isChecked()).toBe(true);
  await screenshot(page, "conversation-settings-1440-light");

  const each = dialog.getByRole("group", { name: "Each run" });
  expect(await each.getByLabel("Step limit").inputValue()).toBe("40");
  await each.getByLabel("Step limit").fill("forty");
  await page.keyboard.press("Enter");
  await dialog.getByRole("alert").getByText("Each run: The step limit must be a whole number above 0.").waitFor();
  await each.getByLabel("Step limit").fill("7");
  await dialog.getByRole("group", { name: "The whole conversation" }).getByLabel("Cost limit, $").fill("2.5");
  await dialog.getByRole("radio", { name: "None" }).focus();
  await page.keyboard.press("Space");
  await dialog.getByRole("combobox", { name: "Model" }).selectOption("demo");
  await dialog.getByLabel("Cost limit, $").last().focus();
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  expect(page.url()).not.toContain("dialog");
  expect(page.url()).toContain("panel=changes");
  expect(await settled()).toEqual([
    {
      type: "conversation.configured",
      model: "demo",
      network: { type: "none" },
      runLimits: { maxSteps: 7, maxCostUsd: 20, maxTimeMs: 21_600_000 },
      limits: { maxCostUsd: 2.5 },
    },
  ]);
  await transcript(page).getByText("Settings changed: model demo").waitFor();
});

test("the settings are reached by their button too, Escape leaves them as they are, and the focus comes back", async () => {
  const open = page.getByRole("button", { name: "Model, network and limits" });
  await open.click();
  const dialog = page.getByRole("dialog", { name: "Model, network and limits" });
  await dialog.getByRole("group", { name: "Each run" }).getByLabel("Step limit").fill("9");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await expect.poll(() => open.evaluate((button) => button === document.activeElement)).toBe(true);
  expect(await settled()).toHaveLength(1);
  await open.click();
  await page.goBack();
  await dialog.waitFor({ state: "hidden" });
});

test("an empty file is called empty", async () => {
  const changes = panel(page, "Changes");
  const empty = changes.getByRole("button", { name: /empty\.txt/ });
  await empty.click();
  expect(await empty.textContent()).toMatch(/empty$/);
  await changes.getByText("This new file is empty.").waitFor();
});

test("leftovers of builds are named before a commit, and go along when the user goes on", async () => {
  await page.getByRole("button", { name: "Take the result" }).click();
  await page.getByRole("menuitem", { name: "Commit to a branch" }).click();
  const dialog = page.getByRole("dialog", { name: "Commit to a branch" });
  const warning = dialog.getByRole("region", { name: "Builds or test runs left these behind" });
  await warning.waitFor();
  expect(await warning.getByRole("listitem").allTextContents()).toEqual(["__pycache__/ 1 file"]);
  await screenshot(page, "leftovers-1440-light");
  await dialog.getByLabel("Branch").fill("result");
  await dialog.getByRole("button", { name: "Commit, with these files" }).click();
  await dialog.waitFor({ state: "hidden" });
  expect(git("ls-tree", "-r", "--name-only", "result").split("\n")).toEqual([
    "README.md",
    "__pycache__/app.cpython-313.pyc",
    "app.py",
    "empty.txt",
  ]);
  expect(user.problems).toEqual([]);
});
