import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Script } from "@handrail/scripted-model/script";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  launchBrowser,
  openAgain,
  type OpenedPage,
  panel,
  readTranscript,
  screenshot,
  signIn,
  transcript,
} from "../support/browser.ts";
import { readLog, runEnd, sleep, startConversation } from "../support/conversations.ts";
import { scriptedEnvironment } from "../support/model-env.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { startServer, type TestServer } from "../support/test-server.ts";

const backend = workingBackends().includes("docker") ? "docker" : "process";
const STEPS = 12;

const script: Script = {
  name: "twelve-steps",
  turns: Array.from({ length: STEPS }, () => ({
    reasoning: "Thinking of step {{turn}}.",
    text: "This is step **{{turn}}** of the work, told slowly enough to be watched.",
    calls: [{ tool: "terminal", arguments: { command: "sleep 0.2; echo line-{{turn}} >> lines.txt; cat lines.txt" } }],
    delayMs: 100,
    chunkDelayMs: 15,
  })),
  otherwise: { text: "All steps are done." },
};

let browser: Browser;
let server: TestServer;
let model: ScriptedModel;
let first: OpenedPage;
let second: OpenedPage;

beforeAll(async () => {
  browser = await launchBrowser();
  const made = await scriptedEnvironment(script);
  ({ model } = made);
  server = await startServer({ env: made.env });
  first = await signIn(browser, server);
  second = await openAgain(browser, first);
  process.stdout.write(`The conversations run in ${backend} sandboxes.\n`);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  await model?.close();
});

/** Both pages, at the end of their transcript, say the same, and their log panels count what the server's log holds. */
async function checkSame(id: string): Promise<void> {
  for (const { page } of [first, second]) {
    await transcript(page).getByText("All steps are done.").waitFor();
    await transcript(page).evaluate((region) => region.scrollTo(0, region.scrollHeight));
  }
  await expect.poll(async () => readTranscript(second.page)).toEqual(await readTranscript(first.page));
  for (const { page } of [first, second]) {
    // What a run leaves behind may be written after its end, so the log is read anew for each look.
    const isCounted = async () => {
      const { length } = await readLog(server.client, id);
      return panel(page, "Log").getByText(String(length), { exact: true }).isVisible();
    };
    await expect.poll(isCounted).toBe(true);
  }
  expect((await readTranscript(first.page)).size).toBeGreaterThan(STEPS * 2);
}

test("a second browser, reloaded at five moments, shows what the first one shows", async () => {
  const id = await startConversation(server.client, { backend, task: "Do twelve steps" });
  const address = `${server.url}/conversations/${id}?panel=log`;
  await first.page.goto(address);
  await second.page.goto(address);
  for (let reload = 0; reload < 5; reload++) {
    await sleep(Math.random() * 1200);
    await second.page.reload();
  }
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });
  await checkSame(id);
  await screenshot(first.page, "two-browsers-1440-light");
  expect([...first.problems, ...second.problems]).toEqual([]);
});

/** Nothing is offered that needs the server, and no clock counts on. */
async function checkOffline(page: Page): Promise<void> {
  const message = page.getByRole("textbox", { name: "Message" });
  await message.fill("Not to be lost");
  await page.getByText("Not sent yet.").waitFor();
  for (const name of ["Stop", "Send", /^Actions for/]) {
    for (const button of await page.getByRole("button", { name }).all()) expect(await button.isDisabled()).toBe(true);
  }
  const taken = () => page.getByTitle("Time of all runs").textContent();
  const before = await taken();
  await page.getByText(/[2-9] s ago/).waitFor();
  expect(await taken()).toBe(before);
  await page.getByText(/^Last known: working, /).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  expect(await page.getByRole("dialog").count()).toBe(0);
  await screenshot(page, "offline-1440-light");
  await message.fill("");
}

test("when the server is killed the page says that it is offline, reconnects by itself and has missed nothing", async () => {
  const id = await startConversation(server.client, { backend, task: "Do twelve steps again" });
  await first.page.goto(`${server.url}/conversations/${id}?panel=log`);
  await transcript(first.page).getByText("step 3 of the work").waitFor();
  await server.crash();
  await first.page.getByText("Offline.").waitFor();
  await checkOffline(first.page);
  server = await server.restart();
  await first.page.getByText("Offline.").waitFor({ state: "hidden" });
  const { outcome, log } = await runEnd(server.client, id);
  expect(outcome).toBe("done");
  expect(log.some(({ event }) => event.type === "run.resumed")).toBe(true);
  await second.page.goto(`${server.url}/conversations/${id}?panel=log`);
  await checkSame(id);
  expect(first.problems).toEqual([]);
});
