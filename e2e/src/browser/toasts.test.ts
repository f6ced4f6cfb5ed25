import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DESKTOP, openAgain, PHONE, screenshot } from "../support/browser.ts";
import { type BrowserStage, openBrowserStage } from "../support/browser-stage.ts";

let stage: BrowserStage;
let id: string;

beforeAll(async () => {
  stage = await openBrowserStage([]);
  const body = { source: { type: "empty" as const }, model: "demo", title: "One that is idle" };
  ({ id } = await stage.server.client.createConversation({ body }));
});
afterAll(() => stage?.close());

const toast = (page: Page) => page.getByRole("status", { name: "What happened" });

/** What can be pressed or typed into and is under the toasts. */
const covered = (page: Page) =>
  page.evaluate(() => {
    const toasts = document.querySelector("output[aria-label='What happened']");
    const all = [...document.querySelectorAll("button, a, input, textarea, select, summary")];
    return all.filter((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const top = width === 0 ? null : document.elementFromPoint(x + width / 2, y + height / 2);
      return top !== null && toasts?.contains(top) === true && !toasts.contains(element);
    }).length;
  });

test.each([
  [1440, DESKTOP],
  [390, PHONE],
])("what is told at %i px covers nothing that can be used", async (width, viewport) => {
  const { page, context } = await openAgain(stage.browser, stage.user, { viewport });
  await page.goto(`${stage.server.url}/conversations/${id}`);
  const refused = (name: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from("no image") });
  const box = page.getByRole("textbox", { name: "Message" });
  await box.waitFor();
  await page.locator("input[type=file]").setInputFiles(["a.txt", "b.txt", "c.txt"].map(refused));
  await expect.poll(() => toast(page).getByRole("button", { name: "Dismiss" }).count()).toBe(3);
  await screenshot(page, `toasts-${width}`);
  expect(await covered(page)).toBe(0);
  await box.click();
  await context.close();
});

test("what was done is taken back by a key, and its line stays while the focus is there", async () => {
  const { page } = stage.user;
  await page.goto(`${stage.server.url}/conversations/${id}`);
  const row = page.getByRole("complementary").getByRole("link", { name: /One that is idle/ });
  const archive = async () => {
    await page.getByRole("button", { name: "Actions for One that is idle" }).click();
    await page.getByRole("menuitem", { name: "Archive" }).click();
    await row.waitFor({ state: "hidden" });
  };
  await archive();
  await page.keyboard.press("z");
  await row.waitFor();
  await archive();
  await toast(page).getByRole("button", { name: "Undo" }).focus();
  await page.keyboard.press("Enter");
  await row.waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
});

test("a conversation that is deleted and not brought back goes when the page is closed before its line", async () => {
  const { client, url } = stage.server;
  const made = await Promise.all(
    ["One to keep", "One to drop"].map((title) =>
      client.createConversation({ body: { source: { type: "empty" }, model: "demo", title } }),
    ),
  );
  const { page, context } = await openAgain(stage.browser, stage.user, { viewport: DESKTOP });
  await page.goto(`${url}/conversations/${id}`);
  const row = (title: string) => page.getByRole("complementary").getByRole("link", { name: title });
  for (const title of ["One to drop", "One to keep"]) {
    await page.getByRole("button", { name: `Actions for ${title}` }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await row(title).waitFor({ state: "hidden" });
  }
  await page.keyboard.press("z");
  await row("One to keep").waitFor();
  const ids = async () => (await client.conversations()).conversations.map((one) => one.id);
  const [kept, dropped] = made.map((one) => one.id);
  expect(await ids()).toEqual(expect.arrayContaining([kept, dropped]));
  const closedAt = performance.now();
  await page.close({ runBeforeUnload: true });
  await expect.poll(ids).not.toContain(dropped);
  // Its line would have been there for 8 seconds.
  expect([(await ids()).includes(kept ?? ""), performance.now() - closedAt < 6000]).toEqual([true, true]);
  await context.close();
});
