import { execFileSync } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { demoRepositoryDirectory } from "@handrail/scripted-model/demo";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  conversationIdOf,
  launchBrowser,
  openAgain,
  openPage,
  type OpenedPage,
  panel,
  PHONE,
  screenshot,
  signIn,
  terminalLines,
  transcript,
} from "../support/browser.ts";
import { readFileText, runEnd } from "../support/conversations.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { startServer, type TestServer } from "../support/test-server.ts";

const backend = workingBackends().includes("docker") ? "docker" : "process";
let browser: Browser;
let server: TestServer;
let user: OpenedPage;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer({ npmStart: true });
  process.stdout.write(`The demo runs in a ${backend} sandbox.\n`);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

test("the sign-in URL works once, and the page then says that no model is set", async () => {
  user = await signIn(browser, server);
  await user.page.getByRole("heading", { name: "No model is set" }).waitFor();
  expect(user.page.url()).not.toContain("token");
  await screenshot(user.page, "first-run-1440-light");
  const stranger = await openPage(browser);
  await stranger.page.goto(server.signInUrl);
  await stranger.page.getByRole("heading", { name: "Sign in to Handrail" }).waitFor();
  await stranger.page.getByRole("alert").waitFor();
  await screenshot(stranger.page, "sign-in-again-1440-light");
  await stranger.context.close();
});

test("the demo runs to its end in a sandbox: plan, failing test, edit with its difference, passing test", async () => {
  const { page } = user;
  await page.getByRole("button", { name: "Run the demo" }).click();
  const id = await conversationIdOf(page);
  await page.getByRole("button", { name: "Stop" }).first().waitFor();
  const { outcome, log } = await runEnd(server.client, id);
  expect(outcome).toBe("done");
  expect(log.find(({ event }) => event.type === "sandbox.started")?.event).toMatchObject({ backend });
  await page.getByRole("button", { name: "Stop" }).first().waitFor({ state: "hidden" });
  await page.getByText(/^Demo/).first().waitFor();

  const rows = transcript(page);
  await rows.evaluate((region) => region.scrollTo(0, 0));
  await rows.getByText("scripted demo model").waitFor();
  const seen = await scrollThrough(rows);
  expect(seen).toMatch(/Ran.{0,5}node --test.{0,5}exit 1/);
  expect(seen).toMatch(/Ran.{0,5}node --test.{0,5}exit 0/);
  expect(seen).toContain("Add a test for the same bug in longer durations");
  expect(seen).toContain("src/format.js");
  expect(seen).toContain("let rest = Math.round(seconds);");
  expect(user.problems).toEqual([]);
});

test("Changes lists the two files, unified and split", async () => {
  const { page } = user;
  const changes = panel(page, "Changes");
  const files = changes.getByRole("list", { name: "Changed files" }).getByRole("button");
  await expect.poll(() => files.allTextContents()).toHaveLength(2);
  expect((await files.allTextContents()).join(" ")).toMatch(/src\/format\.js.*test\/format\.test\.js/);
  await changes.getByText("Math.round(seconds)").first().waitFor();
  await screenshot(page, "demo-done-1440-light");
  expect(await changes.getByRole("textbox").count()).toBe(1);
  await changes.getByText("Split", { exact: true }).click();
  await expect.poll(() => changes.getByRole("textbox").count()).toBe(2);
  await screenshot(page, "demo-split-1440-light");
  await changes.getByText("Unified", { exact: true }).click();
  await files.nth(1).click();
  expect(page.url()).toContain("format.test.js");
});

test("Files opens a file of the workspace", async () => {
  const files = panel(user.page, "Files");
  await user.page.getByRole("button", { name: "Files", exact: true }).first().click();
  await files.getByRole("button", { name: /^src/ }).click();
  await files.getByRole("button", { name: /^format\.js/ }).click();
  await files.getByText("export function format").waitFor();
  await screenshot(user.page, "demo-files-1440-light");
});

test("Terminal runs what is typed, in the agent's own sandbox", async () => {
  const { page } = user;
  await page
    .getByRole("button", { name: /^Terminal/ })
    .first()
    .click();
  await page.locator(".xterm").click();
  await page.keyboard.type("echo from-$((40 + 2)) | tee typed.txt\n");
  await expect.poll(() => terminalLines(page).then((lines) => lines.map((line) => line.trim()))).toContain("from-42");
  expect(await readFileText(server.client, await conversationIdOf(page), "typed.txt")).toBe("from-42\n");
  await screenshot(page, "demo-terminal-1440-light");
  await page.keyboard.type("rm typed.txt\n");
});

test("Log shows the raw events", async () => {
  const { page } = user;
  const log = panel(page, "Log");
  await page.getByRole("button", { name: /^Log/ }).first().click();
  await log.getByRole("searchbox", { name: "Filter events" }).fill("run.ended");
  await log
    .getByRole("button", { name: /run\.ended/ })
    .first()
    .click();
  await log.getByText('"outcome": "done"').waitFor();
  await screenshot(page, "demo-log-1440-light");
});

test("the downloaded patch applies to the repository, and its tests pass then", async () => {
  const { page } = user;
  await page.getByRole("button", { name: "Take the result" }).click();
  const downloading = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Download a patch" }).click();
  const patch = await (await downloading).path();
  const copy = await mkdtemp(path.join(tmpdir(), "handrail-demo-"));
  await cp(demoRepositoryDirectory, copy, { recursive: true });
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { cwd: copy, stdio: "pipe" });
  expect(() => run("node", "--test")).toThrow();
  run("git", "init", "--quiet");
  run("git", "apply", patch);
  run("node", "--test");
  await rm(copy, { recursive: true });
});

test("the same conversation in the dark and on a phone", async () => {
  for (const [name, look] of [
    ["demo-1440-dark", { colorScheme: "dark" }],
    ["demo-390-light", { viewport: PHONE }],
    ["demo-390-dark", { viewport: PHONE, colorScheme: "dark" }],
  ] as const) {
    const other = await openAgain(browser, user, look);
    await other.page.goto(
      user.page.url().replace(/\?.*/, look === undefined || "viewport" in look ? "" : "?panel=changes"),
    );
    await transcript(other.page).getByRole("listitem").last().waitFor();
    await screenshot(other.page, name);
    expect(other.problems).toEqual([]);
    await other.context.close();
  }
});

/** Whether there is a row wherever one can be seen: those that scroll in are made a moment later. */
const isFilled = (rows: ReturnType<typeof transcript>) =>
  rows.evaluate((region) => {
    const items = [...region.querySelectorAll("li[aria-posinset]")];
    const [first, last] = [items[0], items.at(-1)];
    const { top, bottom } = region.getBoundingClientRect();
    const isFirst = first?.getAttribute("aria-posinset") === "1";
    const isLast = last?.getAttribute("aria-posinset") === last?.getAttribute("aria-setsize");
    if (first === undefined || last === undefined) return false;
    return (
      (isFirst || first.getBoundingClientRect().top <= top) && (isLast || last.getBoundingClientRect().bottom >= bottom)
    );
  });

/** Everything that the transcript says, read while scrolling from its top to its end. */
async function scrollThrough(rows: ReturnType<typeof transcript>): Promise<string> {
  const seen = new Map<string, string>();
  for (;;) {
    const items = rows.locator("li[aria-posinset]");
    for (const [position, text] of await items.evaluateAll((all) =>
      all.map((item) => [item.getAttribute("aria-posinset") ?? "", item.textContent] as const),
    ))
      seen.set(position, text);
    const more = await rows.evaluate((region) => {
      const before = region.scrollTop;
      region.scrollBy(0, region.clientHeight / 2);
      return region.scrollTop > before;
    });
    if (!more) return [...seen.values()].join("\n");
    await expect.poll(() => isFilled(rows)).toBe(true);
  }
}
