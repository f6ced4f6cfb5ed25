import { randomInt } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import type { Script } from "@handrail/scripted-model/script";
import { afterAll, beforeAll, expect, test } from "vitest";
import { screenshot, transcript } from "../support/browser.ts";
import { MODEL_KEY, requestsTo, startModels, useModel } from "../support/browser-model.ts";
import { runEnd } from "../support/conversations.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { type BrowserStage, openBrowserStage } from "../support/browser-stage.ts";

const backend = workingBackends().includes("docker") ? "docker" : "process";
const terminal = (command: string) => ({ tool: "terminal", arguments: { command, timeout_seconds: 300 } });

/** Seconds that no other program of this machine sleeps. */
const ASLEEP = `600.${randomInt(100_000, 999_999)}`;

const SCRIPTS: readonly Script[] = [
  { name: "sleeper", turns: [{ calls: [terminal(`sleep ${ASLEEP}`)] }, { text: "Going on after the stop." }] },
  { name: "slow", turns: [{ calls: [terminal("while [ ! -e go ]; do sleep 0.1; done")] }, { text: "I read it." }] },
  {
    name: "asker",
    turns: [
      { calls: [{ tool: "ask", arguments: { question: "Which port?", choices: ["8080", "9090"] } }] },
      { text: "The port is set." },
    ],
  },
  {
    name: "long",
    turns: [{ calls: [terminal("echo 1")] }, { calls: [terminal("echo 2")] }, { calls: [terminal("echo 3")] }],
    otherwise: { text: "All three are done." },
  },
];

let stage: BrowserStage;
let server: BrowserStage["server"];
let model: BrowserStage["model"];
let user: BrowserStage["user"];
let page: BrowserStage["page"];

beforeAll(async () => {
  stage = await openBrowserStage(SCRIPTS);
  ({ server, model, user, page } = stage);
  process.stdout.write(`Steering happens in a ${backend} sandbox.\n`);
});
afterAll(async () => stage?.close());

/** A new conversation of a script, open in the page. */
async function open(script: string, task: string, maxSteps?: number): Promise<string> {
  await useModel(server, model, script);
  const { id } = await server.client.createConversation({
    body: {
      source: { type: "empty" },
      sandbox: { backend, network: { type: "none" } },
      content: [{ type: "text", text: task }],
      ...(maxSteps === undefined ? {} : { runLimits: { maxSteps } }),
    },
  });
  await page.goto(`${server.url}/conversations/${id}`);
  return id;
}

const button = (name: string) => page.getByRole("button", { name, exact: true }).first();
const says = (text: string | RegExp) => transcript(page).getByText(text).first().waitFor();

/** Running programs with exactly these words as their command line. */
const running = (...words: readonly string[]): number =>
  globSync("/proc/[0-9]*/cmdline").filter((file) => {
    try {
      return readFileSync(file, "utf8") === `${words.join("\0")}\0`;
    } catch {
      return false;
    }
  }).length;

test("the model form says what is wrong with a port and a key, and that the right ones work", async () => {
  const fill = async (baseUrl: string, key: string) => {
    await page.getByLabel("Base URL").fill(baseUrl);
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.getByLabel("Model", { exact: true }).fill("asker");
    await button("Test").click();
  };
  const gone = await startModels(SCRIPTS);
  await gone.close();
  await fill(gone.baseUrl, MODEL_KEY);
  await page.getByText(`127.0.0.1:${gone.port}`).waitFor();
  await screenshot(page, "model-wrong-port-1440-light");
  await fill(model.baseUrl, "sk-wrong");
  await page.getByText("The model's API answered 401 (check the API key)").waitFor();
  await screenshot(page, "model-wrong-key-1440-light");
  await fill(model.baseUrl, MODEL_KEY);
  await page.getByText("The model asker answers.").waitFor();
  expect(requestsTo(model, "asker")).toHaveLength(1);
  await button("Save").click();
  await page.getByText("The model is set.").waitFor();
});

test("Stop ends the command that runs, and Continue goes on", async () => {
  const id = await open("sleeper", "Sleep for ten minutes");
  await expect.poll(() => running("sleep", ASLEEP)).toBe(1);
  await screenshot(page, "working-1440-light");
  const at = performance.now();
  await button("Stop").click();
  await expect.poll(() => running("sleep", ASLEEP), { interval: 20 }).toBe(0);
  process.stdout.write(`Stop: the command was gone after ${Math.round(performance.now() - at)} ms.\n`);
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "cancelled" });
  await says(/Stopped/);
  await screenshot(page, "stopped-1440-light");
  await button("Continue").click();
  await says("Going on after the stop.");
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });
});

test("a message sent while it works waits, and is read at the next step", async () => {
  const id = await open("slow", "Wait until you may go on");
  const shown = transcript(page).getByText(/while \[/);
  await expect.poll(() => shown.count()).toBeGreaterThan(0);
  await page.getByRole("textbox", { name: "Message" }).fill("Also mention the README.");
  await button("Send").click();
  await says("Also mention the README.");
  await says("Will be read at the next step");
  await screenshot(page, "queued-1440-light");
  expect(requestsTo(model, "slow")).toHaveLength(1);
  await page.goto(`${page.url()}?panel=terminal`);
  await button("New").click();
  await page.locator(".xterm").click();
  await page.keyboard.type("touch go\n");
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });
  const [first, second] = requestsTo(model, "slow");
  expect(first).not.toContain("Also mention the README.");
  expect(second).toContain("Also mention the README.");
  await page.getByText("Will be read at the next step").waitFor({ state: "hidden" });
});

test("a question is answered by the button of a choice", async () => {
  const id = await open("asker", "Start the service");
  await page.getByRole("region", { name: "The agent asks you" }).getByText("Which port?").waitFor();
  await screenshot(page, "asked-1440-light");
  await button("9090").click();
  await says("The port is set.");
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });
  expect(requestsTo(model, "asker").at(-1)).toContain("9090");
  await page.getByText("The agent asks you").waitFor({ state: "hidden" });
});

test("a limit that was reached is named, and Continue goes on", async () => {
  const id = await open("long", "Count to three", 2);
  await says(/Limit reached: steps/i);
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "limited" });
  await screenshot(page, "limited-1440-light");
  await button("Continue").click();
  await says("All three are done.");
  expect(await runEnd(server.client, id)).toMatchObject({ outcome: "done" });
});

const list = () => page.getByRole("complementary", { name: "Conversations" });
const act = async (title: string, action: string) => {
  await list()
    .getByRole("button", { name: `Actions for ${title}` })
    .click();
  await page.getByRole("menuitem", { name: action }).click();
};

test("conversations are renamed, archived and brought back, searched, and deleted", async () => {
  await act("Count to three", "Rename");
  await page.getByRole("textbox", { name: "Title" }).fill("Counted to three");
  await page.keyboard.press("Enter");
  const renamed = list().getByRole("link", { name: /Counted to three/ });
  await renamed.waitFor();
  await act("Counted to three", "Archive");
  await renamed.waitFor({ state: "hidden" });
  await button("Undo").click();
  await renamed.waitFor();

  await list().getByRole("searchbox", { name: "Search conversations" }).fill("ten minutes");
  await renamed.waitFor({ state: "hidden" });
  await list()
    .getByRole("link", { name: /Sleep for ten minutes/ })
    .waitFor();
  await screenshot(page, "search-1440-light");
  await act("Sleep for ten minutes", "Delete");
  await list()
    .getByRole("link", { name: /Sleep for ten minutes/ })
    .waitFor({ state: "hidden" });
  const titles = async () =>
    (await server.client.conversations({ query: { limit: 50 } })).conversations.map(({ title }) => title).toSorted();
  await expect.poll(titles).toEqual(["Counted to three", "Start the service", "Wait until you may go on"]);
  await page.reload();
  await renamed.waitFor();
  expect(
    await list()
      .getByRole("link", { name: /Sleep for ten minutes/ })
      .count(),
  ).toBe(0);
  expect(user.problems).toEqual([]);
});
