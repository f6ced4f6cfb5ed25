import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conversationIdOf, DESKTOP, openAgain, PHONE, screenshot } from "../support/browser.ts";
import { useModel } from "../support/browser-model.ts";
import { runEnd } from "../support/conversations.ts";
import { type BrowserStage, openBrowserStage } from "../support/browser-stage.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const command = "curl -s -m 50 -o /dev/null -D - http://page.invalid/; echo code $?";

let stage: BrowserStage;
let browser: BrowserStage["browser"];
let server: BrowserStage["server"];
let model: BrowserStage["model"];
let user: BrowserStage["user"];
let page: BrowserStage["page"];

beforeAll(async () => {
  stage = await openBrowserStage(
    [
      {
        name: "reacher",
        turns: [{ calls: [{ tool: "terminal", arguments: { command } }] }],
        otherwise: { text: "Done." },
      },
    ],
    { env: { HANDRAIL_TEAMS: "core,web" } },
  );
  ({ browser, server, model, user, page } = stage);
  await useModel(server, model, "reacher");
});
afterAll(async () => stage?.close());

test("a conversation is made for a team by keyboard, says so, and its ask is answered for the team", async () => {
  await page.goto(`${server.url}/new`);
  await page.getByRole("radio", { name: "Empty" }).press("Space");
  const team = page.getByLabel("For", { exact: true });
  expect(await team.locator("option").allTextContents()).toEqual(["Yourself", "Team core", "Team web"]);
  await team.focus();
  await page.keyboard.press("ArrowDown");
  await page.getByText("The rules, secrets and budget of the team hold, beside your own.").waitFor();
  await page.getByRole("textbox", { name: "Task" }).fill("Reach out");
  await page.keyboard.press("Enter");
  const id = await conversationIdOf(page);
  expect((await server.client.conversation({ params: { id } })).teamId).toBe("core");
  await page.getByTitle("Team", { exact: true }).getByText("team core").waitFor();

  const ask = page.getByRole("group", { name: "The sandbox wants to reach GET page.invalid/" });
  const names = ["Allow once", "Allow in this conversation", "Always for team core", "Always", "Do not allow"];
  await ask.waitFor();
  expect(await ask.getByRole("button").allTextContents()).toEqual(names);
  await screenshot(page, "team-ask-1440-light");
  await ask.getByRole("button", { name: "Always for team core" }).press("Enter");
  expect((await runEnd(server.client, id, 90_000)).outcome).toBe("done");
  const { rules } = await server.client.networkRules();
  expect(rules).toMatchObject([{ scope: "team", teamId: "core", hosts: ["page.invalid"] }]);
  expect(user.problems).toEqual([]);
});

test("rules are listed with whose they are, and added for a team", async () => {
  await page.goto(`${server.url}/settings/network`);
  const list = page.getByRole("list", { name: "Network rules" });
  await list.getByText("all conversations of team core").waitFor();
  await page.getByLabel("Whose conversations").selectOption("web");
  expect(await page.getByLabel("Only for the repository").count()).toBe(0);
  await screenshot(page, "team-rule-1440-light");
  await page.getByLabel("Allow a host").fill("api.example.org");
  await page.keyboard.press("Enter");
  await list.getByText("all conversations of team web").waitFor();
  await page.getByLabel("Allow a host").fill("npm");
  await page.keyboard.press("Enter");
  await list.getByRole("button", { name: "Remove npm" }).waitFor();
  await list.getByRole("button", { name: "Remove page.invalid" }).click();
  await expect
    .poll(async () => (await server.client.networkRules()).rules)
    .toMatchObject([
      { teamId: "web", hosts: ["api.example.org"] },
      { teamId: "web", presets: ["npm"], hosts: [] },
    ]);
});

test("a team's secret stands beside the user's own of its name, and each is changed and removed by itself", async () => {
  const setting = { scope: { type: "owner" }, use: { type: "file" } } as const;
  await server.client.saveSecret({ params: { name: "KEY" }, body: { ...setting, value: "the-value-of-mine" } });
  await page.goto(`${server.url}/settings/secrets`);
  await page.getByRole("button", { name: "Add a secret" }).click();
  const form = page.getByRole("dialog", { name: "Add a secret" });
  await form.getByLabel("Name").fill("KEY");
  await form.getByLabel("Value").fill("the-value-of-the-team");
  await form.getByLabel("Hosts").fill("api.example.org");
  await form.getByLabel("Whose conversations").selectOption("core");
  expect(await form.getByLabel("Only for the repository").count()).toBe(0);
  await screenshot(page, "team-secret-1440-light");
  await form.getByRole("button", { name: "Save" }).click();
  const rows = page.getByRole("list", { name: "Secrets" }).getByRole("listitem");
  await expect.poll(() => rows.count()).toBe(2);

  await rows.getByRole("button", { name: "Change KEY of team core" }).click();
  const change = page.getByRole("dialog", { name: "KEY of team core" });
  expect(await change.getByLabel("Whose conversations").count()).toBe(0);
  await change.getByLabel("Hosts").fill("elsewhere.example.org");
  await change.getByRole("button", { name: "Save" }).click();
  await change.getByRole("alert").getByText("Give the value too").waitFor();
  await change.getByRole("button", { name: "Cancel" }).click();

  await rows.getByRole("button", { name: "Remove KEY of team core" }).click();
  await page.getByRole("dialog", { name: "Remove KEY of team core" }).getByRole("button", { name: "Remove" }).click();
  await expect.poll(() => rows.count()).toBe(1);
  expect((await server.client.secrets()).secrets).toMatchObject([{ name: "KEY", scope: { type: "owner" } }]);
  expect(user.problems).toEqual([]);
});

test.each([
  ["light", DESKTOP],
  ["dark", DESKTOP],
  ["light", PHONE],
  ["dark", PHONE],
] as const)("in %s at %o nothing is cut off, and every field has its label", async (colorScheme, viewport) => {
  const scope = { type: "team", teamId: "core" } as const;
  const body = { scope, use: { type: "file" }, value: "the-value-of-the-team" } as const;
  await server.client.saveSecret({ params: { name: "TEAM_KEY" }, body });
  const opened = await openAgain(browser, user, { colorScheme, viewport });
  for (const [place, wait] of [
    ["new", "For"],
    ["settings/network", "Whose conversations"],
    ["settings/secrets", "Change TEAM_KEY of team core"],
  ] as const) {
    await opened.page.goto(`${server.url}/${place}`);
    await opened.page.getByLabel(wait, { exact: true }).waitFor();
    expect(await opened.page.evaluate(() => document.scrollingElement?.scrollWidth)).toBeLessThanOrEqual(
      viewport.width,
    );
    await screenshot(opened.page, `teams-${place.replace("/", "-")}-${viewport.width}-${colorScheme}`);
    await opened.page.evaluate(AXE);
    const found = (await opened.page.evaluate("axe.run()")) as AxeResults;
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  }
  await opened.context.close();
});
