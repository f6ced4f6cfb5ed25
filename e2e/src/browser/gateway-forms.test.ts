import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DESKTOP, type OpenedPage, launchBrowser, openAgain, PHONE, screenshot, signIn } from "../support/browser.ts";
import { MODEL_KEY, startModels } from "../support/browser-model.ts";
import { startServer, type TestServer } from "../support/test-server.ts";

let browser: Browser;
let server: TestServer;
let models: ScriptedModel;
let user: OpenedPage;
let page: Page;

const SICK = { type: "status", status: 500, message: "The engine is on fire." } as const;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer();
  models = await startModels([
    { name: "talker", turns: [], otherwise: { text: "Good morning." } },
    { name: "sick", turns: [], otherwise: { text: "Never.", faults: Array.from({ length: 50 }, () => SICK) } },
  ]);
  user = await signIn(browser, server);
  ({ page } = user);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  await models?.close();
});

const list = (name: string) => page.getByRole("list", { name });
const rowOf = (name: string, text: string) => list(name).getByRole("listitem").filter({ hasText: text });

async function addModel(name: string, model: string): Promise<void> {
  await page.getByRole("button", { name: "Add a model" }).click();
  const form = page.getByRole("dialog", { name: "Add a model" });
  await form.getByLabel("Provider").selectOption("openai_compatible");
  await form.getByLabel("Model", { exact: true }).fill(model);
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Base URL").fill(models.baseUrl);
  await form.getByLabel("Key").fill(MODEL_KEY);
  await form.getByText("Load, context size and prices").click();
  await form.getByLabel("Input, $ per million").fill("1");
  await form.getByLabel("Output, $ per million").fill("2");
  await form.getByRole("button", { name: "Save" }).click();
  await form.waitFor({ state: "hidden" });
}

function ask(key: string, model: string): Promise<Response> {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "x-litellm-num-retries": "0" },
    body: JSON.stringify({ model, max_tokens: 20, messages: [{ role: "user", content: "Hello" }] }),
  });
}

/** The key that the page shows this once. */
async function shownKey(): Promise<string> {
  const dialog = page.getByRole("dialog", { name: "The new key" });
  const key = (await dialog.locator("code").textContent()) ?? "";
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  return key;
}

test("a key is made with every limit, after what was wrong with it is said, then changed, replaced and used up", async () => {
  await page.goto(`${server.url}/settings/models`);
  await addModel("morning", "talker");
  await addModel("broken", "sick");
  await page.getByRole("link", { name: "Keys" }).click();
  await page.getByRole("button", { name: "Create a key" }).click();
  const form = page.getByRole("dialog", { name: "Create a key" });
  const refused = async (sentence: string | RegExp) => {
    await form.getByRole("button", { name: "Create" }).click();
    await form.getByRole("alert").filter({ hasText: sentence }).waitFor();
  };
  await refused("Give the key a name.");
  await form.getByLabel("Name").fill("laptop");
  await form.getByLabel("Budget, $").fill("a lot");
  await refused("budget");
  await form.getByLabel("Budget, $").fill("5");
  await form.getByLabel("Requests a minute").fill("-1");
  await refused("The limit of requests");
  await form.getByLabel("Requests a minute").fill("30");
  await form.getByLabel("Good for, days").fill("-3");
  await refused("Give the days that it is good for");
  await form.getByLabel("Good for, days").fill("90");
  await form.getByLabel("Tokens a minute").fill("123456");
  await form.getByLabel("Calls at a time").fill("4");
  await form.getByLabel("Models").fill("morning, broken");
  await form.getByLabel("Team", { exact: true }).fill("core");
  await screenshot(page, "key-form-1440-light");
  await form.getByRole("button", { name: "Create" }).click();
  const first = await shownKey();
  const row = rowOf("Keys", "laptop");
  for (const fact of [
    "morning, broken",
    "$5.00 a month",
    "30 requests a minute",
    "123,456 tokens a minute",
    "4 at a time",
    "until ",
  ])
    await row.getByText(fact).waitFor();
  expect((await ask(first, "morning")).status).toBe(200);
  expect((await ask(first, "other")).status).toBe(403);

  await page.getByRole("button", { name: "More for laptop" }).click();
  await page.getByRole("menuitem", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: "laptop" });
  await change.getByLabel("Models").fill("");
  await change.getByLabel("Tokens a minute").fill("");
  await change.getByRole("button", { name: "Save" }).click();
  await change.waitFor({ state: "hidden" });
  await row.getByText("all models").waitFor();
  expect(await row.getByText("tokens").count()).toBe(0);
  await row.getByText("until ").waitFor();

  await page.getByRole("button", { name: "More for laptop" }).click();
  await page.getByRole("menuitem", { name: "Replace by a new key" }).click();
  await page.getByRole("dialog", { name: "Replace laptop" }).getByRole("button", { name: "Replace" }).click();
  const second = await shownKey();
  expect([(await ask(first, "morning")).status, (await ask(second, "morning")).status]).toEqual([401, 200]);

  const spare = rowOf("Keys", "spare");
  await page.getByRole("button", { name: "Create a key" }).click();
  await form.getByLabel("Name").fill("spare");
  await form.getByLabel("Budget, $").fill("0.00001");
  await form.getByRole("button", { name: "Create" }).click();
  const small = await shownKey();
  await spare.waitFor();
  const over = await ask(small, "morning");
  expect([over.status, over.headers.get("rate_limit_type")]).toEqual([429, "budget"]);
});

test("a model's calls show how it does: what works, what fails and why, and the test says the same", async () => {
  await page.getByRole("button", { name: "Create a key" }).click();
  const form = page.getByRole("dialog", { name: "Create a key" });
  await form.getByLabel("Name").fill("prober");
  await form.getByRole("button", { name: "Create" }).click();
  const key = await shownKey();
  for (let calls = 0; calls < 3; calls += 1) expect((await ask(key, "morning")).status).toBe(200);
  for (let calls = 0; calls < 5; calls += 1) expect((await ask(key, "broken")).status).toBe(500);
  await page.getByRole("link", { name: "Models" }).click();
  const [well, ill] = [rowOf("Models", "morning"), rowOf("Models", "broken")];
  await well.getByText("Works").waitFor();
  await well.getByText(/\d calls · .* median/).waitFor();
  await ill.getByText("Rests after failures").waitFor();
  await ill.getByText(/5 failures · tried again in/).waitFor();
  await ill.getByText("The engine is on fire.").waitFor();
  await ill.getByRole("button", { name: "Test" }).click();
  await ill.locator("[aria-live]").getByText("The engine is on fire.").first().waitFor();
  await well.getByRole("button", { name: "Test" }).click();
  await well.getByText("The model talker answers.").waitFor();
  await screenshot(page, "models-health-1440-light");

  await page.getByRole("button", { name: "Change morning" }).click();
  const change = page.getByRole("dialog", { name: "morning" });
  expect(await change.getByLabel("Key").inputValue()).toBe("");
  await change.getByLabel("Base URL").fill("no address");
  await change.getByRole("button", { name: "Save" }).click();
  await change.getByRole("alert").waitFor();
  await page.keyboard.press("Escape");
  await change.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Remove broken" }).click();
  await page.getByRole("dialog", { name: "Remove broken" }).getByRole("button", { name: "Remove" }).click();
  await ill.waitFor({ state: "detached" });
  expect((await ask(key, "broken")).status).toBe(404);
});

test("forms and menus work by keyboard, and give the focus back", async () => {
  await page.goto(`${server.url}/settings/keys`);
  const focused = () =>
    page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent);
  await page.getByRole("button", { name: "Create a key" }).focus();
  await page.keyboard.press("Enter");
  const form = page.getByRole("dialog", { name: "Create a key" });
  await form.waitFor();
  expect(await form.evaluate((dialog) => dialog.contains(document.activeElement))).toBe(true);
  await form.getByLabel("Name").focus();
  await page.keyboard.type("typed");
  await page.keyboard.press("Enter");
  const shown = page.getByRole("dialog", { name: "The new key" });
  await shown.waitFor();
  await shown.getByRole("button", { name: "I have kept it" }).focus();
  await page.keyboard.press("Enter");
  await shown.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "More for typed" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Change" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("menuitem", { name: "Change" }).waitFor({ state: "detached" });
  await expect.poll(focused).toBe("More for typed");
});

const SCREENS = ["models", "keys", "spend", "limits"] as const;

for (const [size, viewport] of Object.entries({ 1440: DESKTOP, 390: PHONE })) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`every screen of the gateway fits ${size} px in the ${colorScheme}, and all that can be used has a name`, async () => {
      const { page: other, context, problems } = await openAgain(browser, user, { viewport, colorScheme });
      for (const screen of SCREENS) {
        await other.goto(`${server.url}/settings/${screen}`);
        await other.getByRole("heading", { level: 2 }).first().waitFor();
        await other.waitForLoadState("networkidle");
        await screenshot(other, `${screen}-${size}-${colorScheme}`);
        expect([screen, await wider(other), await unnamed(other)]).toEqual([screen, [], []]);
      }
      for (const [screen, button] of [
        ["keys", "Create a key"],
        ["models", "Add a model"],
        ["limits", "Add limits"],
      ] as const) {
        await other.goto(`${server.url}/settings/${screen}`);
        await other.getByRole("button", { name: button }).click();
        await other.getByRole("dialog", { name: button }).waitFor();
        await screenshot(other, `${screen}-form-${size}-${colorScheme}`);
        expect([screen, await wider(other), await unnamed(other)]).toEqual([screen, [], []]);
      }
      expect(problems).toEqual([]);
      await context.close();
    });
  }
}

/** What sticks out of the page to the right, but where it can be scrolled to. */
function wider(on: Page): Promise<string[]> {
  return on.evaluate(() => {
    const scrolls = (element: Element | null): boolean =>
      element !== null &&
      (/auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.querySelectorAll("body *")]
      .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !scrolls(each.parentElement))
      .map((each) => `${each.tagName} ${each.textContent?.slice(0, 40)}`);
  });
}

/** Controls that a screen reader has no word for. */
function unnamed(on: Page): Promise<string[]> {
  return on.evaluate(() => {
    const nameOf = (each: Element) => {
      const by = each
        .getAttribute("aria-labelledby")
        ?.split(" ")
        .map((id) => document.getElementById(id)?.textContent);
      const labels =
        "labels" in each ? [...((each as HTMLInputElement).labels ?? [])].map((label) => label.textContent) : [];
      return [each.getAttribute("aria-label"), ...(by ?? []), ...labels, each.textContent, each.getAttribute("title")];
    };
    return [
      ...document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=button], [role=radio]"),
    ]
      .filter((each) => each.checkVisibility() && !each.closest("[aria-hidden=true], [inert]"))
      .filter((each) => nameOf(each).every((name) => !name?.trim()))
      .map((each) => each.outerHTML.slice(0, 120));
  });
}
