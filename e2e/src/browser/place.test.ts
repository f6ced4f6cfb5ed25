import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { transcript } from "../support/browser.ts";
import { useModel } from "../support/browser-model.ts";
import { type BrowserStage, openBrowserStage } from "../support/browser-stage.ts";

const SLEEP = { tool: "terminal", arguments: { command: "sleep 600", timeout_seconds: 900 } };

let stage: BrowserStage;
let page: Page;
let id: string;

beforeAll(async () => {
  stage = await openBrowserStage([{ name: "sleeper", turns: [{ calls: [SLEEP] }] }]);
  const { server, model } = stage;
  ({ page } = stage);
  await useModel(server, model, "sleeper");
  ({ id } = await server.client.createConversation({
    body: {
      source: { type: "empty" },
      sandbox: { backend: "process", network: { type: "none" } },
      title: "A long sleep",
      content: [{ type: "text", text: "Sleep." }],
    },
  }));
});
afterAll(() => stage?.close());

const goTo = (path: string) => page.goto(stage.server.url + path);
const dialogs = () => page.getByRole("dialog").count();
const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");

test("Escape in the list's fields is spent there: it does not ask to stop the run, and the focus stays in the row", async () => {
  await goTo(`/conversations/${id}`);
  await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
  await page.getByRole("button", { name: "Actions for A long sleep" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Title" }).waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(focused).toContain("A long sleep");
  expect(await dialogs()).toBe(0);
  await page.getByRole("searchbox", { name: "Search conversations" }).focus();
  await page.keyboard.press("Escape");
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("BODY");
  expect(await dialogs()).toBe(0);
  expect(await page.title()).toBe("A long sleep · Handrail");
});

test("a dialog that was closed is not opened again by going back", async () => {
  await goTo("/settings");
  await page.getByRole("link", { name: /A long sleep/ }).click();
  await page.getByRole("button", { name: "Checkpoints" }).click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.waitForURL(`${stage.server.url}/conversations/${id}`);
  await page.goBack();
  await page.waitForURL(/\/settings$/);
  expect(await dialogs()).toBe(0);
});

test("an address that is partly or wholly wrong shows what there is, or says that there is nothing", async () => {
  await goTo(`/conversations/${id}?panel=nothing&dialog=nothing&terminal=%3Cb%3E`);
  await transcript(page).getByText("Sleep.").waitFor();
  for (const path of ["/conversations/nobody", "/nothing/at/all"]) {
    await goTo(path);
    await page.getByText("There is nothing at this address.").waitFor();
  }
});

test("a form begins in its first field, and a click beside it does not throw away what was typed", async () => {
  await goTo("/settings/secrets");
  await page.getByRole("button", { name: "Add a secret" }).click();
  const name = page.getByRole("dialog").getByLabel("Name", { exact: true });
  await expect.poll(() => name.evaluate((field) => field === document.activeElement)).toBe(true);
  await page.keyboard.type("NPM_TOKEN");
  await page.mouse.click(20, 500);
  expect(await name.inputValue()).toBe("NPM_TOKEN");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
});

test("a task that is being written is there again after looking elsewhere", async () => {
  await goTo("/new");
  await page.getByRole("textbox", { name: "Task" }).fill("Half a thought");
  await goTo("/settings");
  await goTo("/new");
  expect(await page.getByRole("textbox", { name: "Task" }).inputValue()).toBe("Half a thought");
});

test("a row that is being removed says so, and is removed once however often it is pressed", async () => {
  await stage.server.client.addNetworkRule({ body: { scope: "owner", hosts: ["a.example"] } });
  await goTo("/settings/network");
  const asked: string[] = [];
  const held = Promise.withResolvers<void>();
  await page.route("**/api/network-rules/*", async (route) => {
    asked.push(route.request().method());
    await held.promise;
    await route.continue();
  });
  const row = page.getByRole("list", { name: "Network rules" }).getByRole("listitem");
  const remove = row.getByRole("button", { name: "Remove a.example" });
  await remove.focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => row.getAttribute("aria-busy")).toBe("true");
  await page.keyboard.press("Enter");
  expect(await remove.evaluate((button) => button === document.activeElement)).toBe(true);
  held.resolve();
  await row.waitFor({ state: "hidden" });
  expect(asked).toEqual(["DELETE"]);
  await page.unroute("**/api/network-rules/*");
});

test("a row that changes its group keeps the focus, and one that goes gives it to its neighbour", async () => {
  const { client } = stage.server;
  await client.createConversation({ body: { source: { type: "empty" }, model: "demo", title: "Another one" } });
  await goTo("/");
  await page.getByRole("link", { name: /Another one/ }).waitFor();
  await page.getByRole("link", { name: /A long sleep/ }).focus();
  await client.stopRun({ params: { id } });
  await page
    .getByRole("region", { name: "Earlier" })
    .getByRole("link", { name: /A long sleep/ })
    .waitFor();
  await expect.poll(focused).toContain("A long sleep");
  await client.changeConversation({ params: { id }, body: { archived: true } });
  await expect.poll(focused).toContain("Another one");

  await goTo(`/conversations/${id}`);
  await page.getByRole("button", { name: "Bring it back" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  expect(await page.evaluate(() => document.activeElement?.tagName)).not.toBe("BODY");
});
