import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  conversationIdOf,
  DESKTOP,
  launchBrowser,
  openAgain,
  type OpenedPage,
  openPage,
  panel,
  PHONE,
  screenshot,
  signIn,
  transcript,
} from "../support/browser.ts";
import { runEnd } from "../support/conversations.ts";
import { startServer, type TestServer } from "../support/test-server.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let server: TestServer;
let phone: OpenedPage;
let demo: string;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer();
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const width = (page: Page) => page.evaluate(() => document.scrollingElement?.scrollWidth);

test("at 390 px the demo is started, stopped, continued, and every zone is reached by the tab bar", async () => {
  phone = await signIn(browser, server, { viewport: PHONE, hasTouch: true });
  const { page } = phone;
  await page.goto(`${server.url}/new`);
  expect(await width(page)).toBeLessThanOrEqual(390);
  await page.getByRole("button", { name: "Run the demo" }).tap();
  demo = await conversationIdOf(page);
  const tabs = page.getByRole("navigation", { name: "Zones" });
  await tabs.getByRole("button", { name: "Talk" }).tap();
  // Each is there once: two would be an error.
  const stop = page.getByRole("button", { name: "Stop", exact: true });
  await stop.tap();
  expect(await runEnd(server.client, demo)).toMatchObject({ outcome: "cancelled" });
  await page.getByRole("button", { name: "Continue", exact: true }).tap();
  for (const zone of ["Changes", "Files", "Terminal", "Log", "Talk"]) {
    await tabs.getByRole("button", { name: new RegExp(`^${zone}`) }).tap();
    await (zone === "Talk" ? transcript(page) : panel(page, zone)).waitFor();
    expect(await width(page), zone).toBeLessThanOrEqual(390);
    await screenshot(page, `phone-${zone.toLowerCase()}-390-light`);
  }
  // The end of the run before is there until the next one begins.
  const outcome = async () => (await runEnd(server.client, demo)).outcome;
  await expect.poll(outcome, { timeout: 120_000 }).toBe("done");
  expect(phone.problems).toEqual([]);
});

test("at 390 px the list of conversations is the page's main part, and nothing of it is cut off", async () => {
  const { page } = phone;
  await page.getByRole("link", { name: "All conversations" }).tap();
  const list = page.getByRole("main");
  await list.getByRole("heading", { level: 1, name: "Conversations" }).waitFor({ state: "attached" });
  await list.getByRole("link", { name: /A test of this repository fails/ }).waitFor();
  const edges = await list
    .locator("a, button, input")
    .evaluateAll((all) => all.map((element) => element.getBoundingClientRect().right));
  expect(Math.max(...edges)).toBeLessThanOrEqual(390);
  await screenshot(page, "phone-home-390-light");
});

for (const viewport of [DESKTOP, PHONE]) {
  test(`at ${viewport.width} px a row with all that it can have is not cut, nor is the longest cost`, async () => {
    const { page, context } = await openAgain(browser, phone, { viewport });
    await page.route(/\/api\/conversations(\?.*)?$/, async (route) => {
      const response = await route.fetch();
      const json = (await response.json()) as { conversations: object[] };
      json.conversations = json.conversations.map((row) => ({ ...row, ...FULL_ROW }));
      await route.fulfill({ response, json });
    });
    await page.goto(server.url);
    const row = page.getByRole("link", { name: /A test of this repository fails/ });
    await row.getByText("Asks you").waitFor();
    expect(await cutIn(row)).toEqual([]);
    await page.goto(`${server.url}/conversations/${demo}`);
    const cost = page.getByTitle(/^Cost/);
    await cost.evaluate((element) => (element.textContent = "under $0.0001 of $20.00"));
    const past = await cost.evaluate((element) => {
      const line = element.parentElement?.parentElement;
      return element.getBoundingClientRect().right - (line?.getBoundingClientRect().right ?? 0);
    });
    expect(past).toBeLessThan(1);
    await context.close();
  });
}

const FULL_ROW = {
  state: "asked",
  source: { type: "folder", path: "/home/ada/code/payments" },
  changes: { files: 12, added: 1204, removed: 310 },
  costUsd: 0.00001,
  updatedAt: Date.now() - 12 * 60_000,
};

/** The texts below the title that are not seen whole. */
const cutIn = (row: Locator) =>
  row.evaluate((link) => {
    const edge = link.getBoundingClientRect().right;
    const parts = [...link.querySelectorAll<HTMLElement>("div:last-child span, div:last-child time")];
    const isCut = (part: HTMLElement) =>
      part.getBoundingClientRect().right > edge ||
      (getComputedStyle(part).overflow === "hidden" && part.scrollWidth > part.clientWidth);
    return parts.filter(isCut).map((part) => part.textContent);
  });

test("by keyboard only: new conversation, the demo, calls, panels, palette, help, and a stop that asks", async () => {
  const { page, context } = await openAgain(browser, phone);
  await page.goto(server.url);
  await page.getByRole("searchbox", { name: "Search conversations" }).waitFor();
  await page.keyboard.press("c");
  await page.waitForURL(/\/new$/);
  await tabTo(page, "Run the demo");
  await page.keyboard.press("Enter");
  const id = await conversationIdOf(page);
  await transcript(page).getByText("scripted demo model").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor();
  await screenshot(page, "stop-asks-1440-light");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });

  for (const [keys, name] of [
    ["gc", "Changes"],
    ["gf", "Files"],
    ["gt", "Terminal"],
  ] as const) {
    await transcript(page).focus();
    for (const key of keys) await page.keyboard.press(key);
    await panel(page, name).waitFor();
  }
  await transcript(page).focus();
  await page.keyboard.press("k");
  const call = page.locator("button[aria-expanded]:focus");
  await call.waitFor();
  const expanded = await call.getAttribute("aria-expanded");
  await page.keyboard.press("Enter");
  await expect.poll(() => call.getAttribute("aria-expanded")).not.toBe(expanded);

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("settings");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await page.getByRole("heading", { name: "Settings" }).evaluate(() => (document.activeElement as HTMLElement)?.blur());
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Open the palette").waitFor();
  await screenshot(page, "help-1440-light");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await context.close();
});

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.textContent?.trim());
    if (focused === name) return;
  }
  throw new Error(`60 presses of Tab did not reach “${name}”.`);
}

/** Each is looked at in the light on a desktop, and in the dark on a phone. */
const SETTINGS = ["models", "keys", "limits", "spend", "secrets", "network"].map(
  (place) => [`settings-${place}`, `/settings/${place}`] as const,
);

type Scheme = "light" | "dark";

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing that matters in the ${colorScheme}`, async () => {
    const stranger = await openPage(browser, { colorScheme, bypassCSP: true });
    await stranger.page.goto(server.url);
    await stranger.page.getByRole("heading", { name: "Sign in to Handrail" }).waitFor();
    const signInPage = await violations(stranger.page, "sign-in");
    await stranger.context.close();
    const others = await Promise.all([DESKTOP, PHONE].map((viewport) => violationsAt(viewport, colorScheme)));
    expect([...signInPage, ...others.flat()]).toEqual([]);
  });
}

/** What axe finds on every page of a user, at one size. */
async function violationsAt(viewport: typeof DESKTOP, colorScheme: Scheme): Promise<readonly string[]> {
  const { page, context } = await openAgain(browser, phone, { colorScheme, bypassCSP: true, viewport });
  const at = `${viewport.width}-${colorScheme}`;
  const found: string[] = [];
  for (const [name, address] of [
    ["home", "/"],
    ["new", "/new"],
    ["settings", "/settings"],
    ...((viewport === DESKTOP) === (colorScheme === "light") ? SETTINGS : []),
    ["conversation", `/conversations/${demo}`],
    ...["changes", "files", "terminal", "log"].map((zone) => [zone, `/conversations/${demo}?panel=${zone}`] as const),
  ] as const) {
    await page.goto(`${server.url}${address}`);
    await page.waitForLoadState("networkidle");
    await page.locator("main").first().waitFor();
    await screenshot(page, `axe-${name}-${at}`);
    found.push(...(await violations(page, `${name} at ${at}`)));
  }
  await context.close();
  return found;
}

/**
 * What axe finds, minor matters left out, with the place: moderate ones are landmarks, headings and regions. Every rule is
 * run; where it passes nothing is told but one example, which takes a third of the time.
 */
async function violations(page: Page, place: string): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const results = await page.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })');
  return results.violations
    .filter(({ impact }) => impact !== "minor")
    .map(({ id, nodes }) => `${place}: ${id}: ${nodes.map(({ target }) => String(target)).join(" | ")}`);
}
