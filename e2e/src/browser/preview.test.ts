import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, type OpenedPage, screenshot, signIn } from "../support/browser.ts";
import { startModels, useModel } from "../support/browser-model.ts";
import { runEnd } from "../support/conversations.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { startServer, type TestServer } from "../support/test-server.ts";

const backend = workingBackends().includes("docker") ? "docker" : "process";

/** A page with a style sheet at an absolute path, a cookie, and a word of what the server was sent. */
const PROGRAM = `
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sheet = self.path == "/style.css"
        body = "h1 { color: rgb(1, 2, 3) }" if sheet else (
            "<link rel=stylesheet href=/style.css><h1>Served from inside</h1>"
            "<p id=host>" + self.headers["Host"] + "</p><p id=cookie>" + (self.headers["Cookie"] or "none") + "</p>")
        self.send_response(200)
        self.send_header("Content-Type", "text/css" if sheet else "text/html")
        self.send_header("Set-Cookie", "own=1")
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *rest):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8123), Handler).serve_forever()
`;

let browser: Browser;
let server: TestServer;
let model: ScriptedModel;
let user: OpenedPage;
let id: string;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer();
  const write = { tool: "write", arguments: { path: "serve.py", text: PROGRAM } };
  const serve = { tool: "terminal", arguments: { command: "(python3 serve.py >/dev/null 2>&1 &)" } };
  model = await startModels([
    { name: "serves", turns: [{ calls: [write] }, { calls: [serve] }, { text: "It is served." }] },
  ]);
  await useModel(server, model, "serves");
  const created = await server.client.createConversation({
    body: {
      source: { type: "empty" },
      sandbox: { backend, network: { type: "none" } },
      content: [{ type: "text", text: "Serve a page." }],
    },
  });
  ({ id } = created);
  user = await signIn(browser, server);
  await user.page.goto(`${server.url}/conversations/${id}?panel=preview`);
  await runEnd(server.client, id);
});
afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  await model?.close();
});

/** The tab that a click opens. */
async function tabOf(page: Page, click: () => Promise<void>): Promise<Page> {
  const [tab] = await Promise.all([page.context().waitForEvent("page"), click()]);
  await tab.waitForLoadState();
  return tab;
}

test("a port that a program opens appears, and opens in a tab with an origin of its own", async () => {
  const { page } = user;
  const open = page.getByRole("button", { name: "Open port 8123" });
  await open.waitFor();
  const tab = await tabOf(page, () => open.click());
  await tab.getByRole("heading", { name: "Served from inside" }).waitFor();
  const { hostname, search } = new URL(tab.url());
  expect({ hostname, search }).toEqual({ hostname: `8123-${id.slice(2)}.localhost`, search: "" });
  expect(await tab.locator("#host").textContent()).toBe("localhost:8123");
  expect(await tab.locator("#cookie").textContent()).toBe("none");
  expect(await tab.locator("h1").evaluate((heading) => getComputedStyle(heading).color)).toBe("rgb(1, 2, 3)");

  await tab.reload();
  expect(await tab.locator("#cookie").textContent()).toBe("own=1");
  expect(await tab.evaluate(() => document.cookie)).toBe("own=1");
  await screenshot(page, "preview-panel");
});

test("what is shown in a preview cannot reach Handrail with the user's session", async () => {
  const { page } = user;
  const tab = await tabOf(page, () => page.getByRole("button", { name: "Open port 8123" }).click());
  // Its tab is an empty one of the page's own until the preview is there.
  await tab.getByRole("heading", { name: "Served from inside" }).waitFor();
  expect(await tab.evaluate(() => window.opener === null)).toBe(true);
  const reached = await tab.evaluate(async (url) => {
    const answer = await fetch(`${url}/api/settings`, { credentials: "include" }).catch(() => undefined);
    return answer === undefined ? "refused" : answer.status;
  }, server.url);
  expect(reached).toBe("refused");
});

test("a shared link works for somebody who is not signed in, until it is ended", async () => {
  const { page } = user;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Share port 8123" }).click();
  await page.getByRole("button", { name: "Share and copy the link" }).click();
  await page.getByRole("heading", { name: "Shared" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());

  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(link);
  await stranger.getByRole("heading", { name: "Served from inside" }).waitFor();
  await page.getByRole("button", { name: "Stop sharing port 8123" }).click();
  await page.getByText("The link no longer works.").waitFor();
  await stranger.reload();
  await stranger.getByRole("heading", { name: "No preview" }).waitFor();
});
