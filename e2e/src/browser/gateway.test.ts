import { afterAll, beforeAll, expect, test } from "vitest";
import { PHONE, openAgain, screenshot } from "../support/browser.ts";
import { MODEL_KEY } from "../support/browser-model.ts";
import { type BrowserStage, openBrowserStage } from "../support/browser-stage.ts";

let stage: BrowserStage;
let browser: BrowserStage["browser"];
let server: BrowserStage["server"];
let model: BrowserStage["model"];
let user: BrowserStage["user"];
let page: BrowserStage["page"];

beforeAll(async () => {
  stage = await openBrowserStage([{ name: "talker", turns: [], otherwise: { text: "Good morning." } }]);
  ({ browser, server, model, user, page } = stage);
});
afterAll(async () => stage?.close());

test("a model is added and tested, a key is made and used, and the spend shows what it cost", async () => {
  await page.goto(`${server.url}/settings/models`);
  await page.getByRole("button", { name: "Add a model" }).click();
  const form = page.getByRole("dialog", { name: "Add a model" });
  await form.getByLabel("Provider").selectOption("openai_compatible");
  await form.getByLabel("Model", { exact: true }).fill("talker");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByText("Give the address of the API.").waitFor();
  await form.getByLabel("Name").fill("morning");
  await form.getByLabel("Base URL").fill(model.baseUrl);
  await form.getByLabel("Key").fill(MODEL_KEY);
  await form.getByText("Load, context size and prices").click();
  await form.getByLabel("Input, $ per million").fill("1000");
  await form.getByLabel("Output, $ per million").fill("2000");
  await form.getByRole("button", { name: "Save" }).click();
  await form.waitFor({ state: "hidden" });
  const row = page.getByRole("list", { name: "Models" }).getByRole("listitem").filter({ hasText: "morning" });
  await row.getByRole("button", { name: "Test" }).click();
  await row.getByText("The model talker answers.").waitFor();
  expect(await page.content()).not.toContain(MODEL_KEY);
  await screenshot(page, "gateway-models-1440-light");

  await page.getByRole("link", { name: "Keys" }).click();
  await page.getByRole("button", { name: "Create a key" }).click();
  const keyForm = page.getByRole("dialog", { name: "Create a key" });
  await keyForm.getByLabel("Name").fill("script");
  await keyForm.getByLabel("Budget, $").fill("5");
  await keyForm.getByRole("button", { name: "Create" }).click();
  const shown = page.getByRole("dialog", { name: "The new key" });
  const key = (await shown.locator("code").textContent()) ?? "";
  await shown.getByRole("button", { name: "I have kept it" }).click();
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "morning", max_tokens: 20, messages: [{ role: "user", content: "Hello" }] }),
  });
  expect(answer.status).toBe(200);

  await page.getByRole("link", { name: "Spend" }).click();
  const dearest = page.getByRole("region", { name: "Spend by model" }).getByRole("cell", { name: "morning" });
  await dearest.waitFor();
  expect(await dearest.locator("[style]").getAttribute("style")).toBe("width: 100%;");
  await page
    .getByRole("region", { name: "Calls, newest first" })
    .getByRole("cell", { name: "script" })
    .first()
    .waitFor();
  await screenshot(page, "gateway-spend-1440-light");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "CSV" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("spend.csv");

  await page.goBack();
  await page.getByRole("link", { name: "Keys" }).click();
  await page.getByRole("button", { name: "More for script" }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("revoked", { exact: true }).waitFor();
  expect(user.problems).toEqual([]);
});

test("limits, secrets and network rules are set at 390 px, in the dark", async () => {
  const phone = await openAgain(browser, user, { viewport: PHONE, colorScheme: "dark" });
  await phone.page.goto(`${server.url}/settings/limits`);
  await phone.page.getByRole("button", { name: "Add limits" }).click();
  const limits = phone.page.getByRole("dialog", { name: "Add limits" });
  await limits.getByLabel("Id").fill("core");
  await limits.getByLabel("Budget, $").fill("100");
  await limits.getByRole("button", { name: "Save" }).click();
  await phone.page.getByText("$100.00 a month").waitFor();
  await screenshot(phone.page, "gateway-limits-390-dark");

  await phone.page.getByRole("link", { name: "Secrets" }).click();
  await phone.page.getByRole("button", { name: "Add a secret" }).click();
  const secret = phone.page.getByRole("dialog", { name: "Add a secret" });
  await secret.getByLabel("Name").fill("API_KEY");
  await secret.getByLabel("Value").fill("a value that is long");
  await secret.getByLabel("Hosts").fill("api.example.org/v1/**");
  await secret.getByRole("button", { name: "Save" }).click();
  await phone.page.getByText("Authorization to api.example.org/v1/**").waitFor();
  expect(await phone.page.content()).not.toContain("a value that is long");
  await screenshot(phone.page, "secrets-390-dark");

  await phone.page.getByRole("link", { name: "Network" }).click();
  await phone.page.getByLabel("Allow a host").fill("https://no");
  await phone.page.getByRole("button", { name: "Allow" }).click();
  await phone.page.getByRole("alert").waitFor();
  await phone.page.getByLabel("Allow a host").fill(".example.org");
  await phone.page.getByRole("button", { name: "Allow" }).click();
  const rule = phone.page.getByRole("list", { name: "Network rules" }).getByText(".example.org");
  await rule.waitFor();
  await phone.page.getByRole("button", { name: "Remove .example.org" }).click();
  await rule.waitFor({ state: "detached" });
  expect(phone.problems).toEqual([]);
  await phone.context.close();
});
