import type { Script } from "@handrail/scripted-model/script";
import { afterAll, beforeAll, expect, test } from "vitest";
import { panel } from "../support/browser.ts";
import { useModel } from "../support/browser-model.ts";
import { eventsOf, readLog, runEnd } from "../support/conversations.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { type BrowserStage, openBrowserStage } from "../support/browser-stage.ts";

const backend = workingBackends().includes("docker") ? "docker" : "process";
const head = (words: string) => ({
  calls: [{ tool: "terminal", arguments: { command: `curl -s -m 50 -o /dev/null -D - ${words}; echo code $?` } }],
});
const SCRIPTS: readonly Script[] = [
  {
    name: "reacher",
    turns: [
      head("http://page.invalid/"),
      head("http://api.invalid/"),
      head("-x socks5h://127.0.0.1:3128 http://socks.invalid/"),
    ],
    otherwise: { text: "Done." },
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
  await useModel(server, model, "reacher");
});
afterAll(async () => stage?.close());

test("what no rule allows is asked in the page, held, and goes on or is refused as the user says", async () => {
  const { id } = await server.client.createConversation({
    body: { source: { type: "empty" }, sandbox: { backend, network: { type: "allow", presets: ["npm"], hosts: [] } } },
  });
  await page.goto(`${server.url}/conversations/${id}?panel=network`);
  await page.getByText("The sandbox has sent no request yet.").waitFor();
  await server.client.addMessage({ params: { id }, body: { content: [{ type: "text", text: "Reach out" }] } });

  const first = page.getByRole("group", { name: "The sandbox wants to reach GET page.invalid/" });
  await first.getByText(/^It waits .+ more\.$/).waitFor();
  await page.getByText(/^A request waits for your answer, in the conversation\./).waitFor();
  expect(await page.getByText("The sandbox has sent no request yet.").count()).toBe(0);
  await first.getByRole("button", { name: "Allow once" }).focus();
  await page.keyboard.press("Enter");

  await answerByApi(id, "api.invalid", "deny");
  await answerByApi(id, "socks.invalid", "here");
  const { outcome, log } = await runEnd(server.client, id, 90_000);
  expect(outcome).toBe("done");
  const said = eventsOf(log, "call.ended").map(({ content }) => JSON.stringify(content));
  // Allowed, so that what stands in the way is that there is no such name.
  expect(said[0]).toContain("x-handrail-refused: name_unresolved");
  expect(said[1]).toContain("x-handrail-refused: denied");
  expect(said[2]).toContain("code 97");
  expect(eventsOf(log, "network.answered").map(({ answer }) => answer)).toEqual(["once", "deny", "here"]);
  expect(eventsOf(log, "conversation.configured")).toMatchObject([{ network: { hosts: ["socks.invalid"] } }]);

  const list = panel(page, "Requests");
  await list.getByText("socks.invalid", { exact: true }).waitFor();
  expect(await list.getByText("The user was asked and did not allow it.").count()).toBe(1);
  const show = page.getByRole("combobox", { name: "Show" });
  const shown = async () => [
    await list.getByText("Refused", { exact: true }).count(),
    await list.getByText("Failed", { exact: true }).count(),
  ];
  await expect.poll(shown).toEqual([1, 2]);
  await show.selectOption("Refused");
  await expect.poll(shown).toEqual([1, 0]);
  await show.selectOption("Failed");
  await expect.poll(shown).toEqual([0, 2]);
  expect(user.problems).toEqual([]);
});

async function answerByApi(id: string, host: string, answer: "deny" | "here"): Promise<void> {
  const find = async () =>
    eventsOf(await readLog(server.client, id), "network.asked").find((asked) => asked.host === host)?.askId;
  await expect.poll(find).toBeDefined();
  await server.client.answerAsk({ params: { id, askId: (await find()) ?? "" }, body: { answer } });
}
