import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, screenshot, signIn } from "../support/browser.ts";
import { startModels, useModel } from "../support/browser-model.ts";
import { readFileText, runEnd } from "../support/conversations.ts";
import { startServer, type TestServer } from "../support/test-server.ts";

let browser: Browser;
let server: TestServer;
let model: ScriptedModel;
let page: Page;
let id: string;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer();
  const write = { tool: "write", arguments: { path: "notes.txt", text: "of the run\n" } };
  model = await startModels([{ name: "writes", turns: [{ calls: [write] }, { text: "It is written." }] }]);
  await useModel(server, model, "writes");
  const created = await server.client.createConversation({
    body: {
      source: { type: "empty" },
      sandbox: { backend: "process", network: { type: "none" } },
      content: [{ type: "text", text: "Write notes." }],
    },
  });
  ({ id } = created);
  ({ page } = await signIn(browser, server));
  await page.goto(`${server.url}/conversations/${id}`);
  await runEnd(server.client, id);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  await model?.close();
});

/** The row of the newest checkpoint that was made for this reason. */
const row = (reason: string) => page.getByRole("listitem").filter({ hasText: reason }).first();

test("the files go back to the start, and forward again", async () => {
  await page.getByRole("button", { name: "Checkpoints" }).click();
  await row("At the start").getByRole("button", { name: "Go back to this" }).click();
  await page.getByText("0 files written, 1 removed.").waitFor();
  const { changes } = await server.client.changes({ params: { id } });
  expect(changes).toEqual([]);

  await page.getByRole("button", { name: "Checkpoints" }).click();
  await row("Before going back").getByRole("button", { name: "Go back to this" }).waitFor();
  await screenshot(page, "checkpoints");
  await row("After a run").getByRole("button", { name: "Go back to this" }).click();
  await page.getByText("1 file written, 0 removed.").waitFor();
  expect(await readFileText(server.client, id, "notes.txt")).toBe("of the run\n");
});

test("a fork is a conversation of its own with the same files", async () => {
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await row("After a run").getByRole("button", { name: "Fork" }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/conversations/") && !url.pathname.includes(id));
  const forked = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  expect(await readFileText(server.client, forked, "notes.txt")).toBe("of the run\n");
});

test("any two checkpoints are compared by the files that differ, and their lines", async () => {
  await page.goto(`${server.url}/conversations/${id}?dialog=checkpoints`);
  await page.getByText("Compare two").click();
  const [from, to] = [page.getByLabel("From", { exact: true }), page.getByLabel("To", { exact: true })];
  const option = async (reason: string) =>
    (await to.locator("option").filter({ hasText: reason }).first().getAttribute("value")) ?? "";
  await from.selectOption(await option("At the start"));
  await to.selectOption(await option("After a run"));
  const files = page.getByRole("list", { name: "Files that differ" }).getByRole("listitem");
  await expect.poll(() => files.allTextContents()).toEqual(["A added notes.txt"]);
  await files.locator("summary").click();
  await expect.poll(() => files.locator(".cm-line").allTextContents()).toEqual(["of the run", ""]);
  await screenshot(page, "checkpoints-compared");
  await to.selectOption(await option("At the start"));
  await page.getByText("No file differs between the two.").waitFor();
});
