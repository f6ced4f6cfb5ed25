import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { launchBrowser, signIn, transcript } from "../support/browser.ts";
import { runEnd, startConversation } from "../support/conversations.ts";
import { scriptedEnvironment } from "../support/model-env.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { startServer } from "../support/test-server.ts";

/** Notes every request: whoever loads an image from here has been made to tell something. */
async function beacon() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { asked, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

const hostile = (url: string) =>
  [
    "Before the hostile part.",
    `![secret](${url}/markdown?d=SECRET)`,
    `<img src="${url}/html"><script>document.title = "owned"</script><iframe src="${url}/frame"></iframe>`,
    `<a href="javascript:document.title='owned'">raw link</a>`,
    "[a link](javascript:document.title='owned') and [data](data:text/html,<script>1</script>)",
    `<svg onload="document.title='owned'"></svg> <style>body { background: url(${url}/style) }</style>`,
    "After the hostile part.",
  ].join("\n\n");

test("text of the model and of programs is shown as text: no script runs, nothing is loaded, no link leads to code", async () => {
  const listener = await beacon();
  const text = hostile(listener.url);
  const command = `printf '%s\\n' '<img src="${listener.url}/output" onerror="document.title=1">' > '<b>x<b>.html'; cat *.html; printf '\\033]0;owned\\007\\033[31mred\\033[0m\\n'`;
  const { model, env } = await scriptedEnvironment({
    name: "hostile",
    turns: [{ text, reasoning: text, calls: [{ tool: "terminal", arguments: { command } }] }],
    otherwise: { text },
  });
  const browser = await launchBrowser();
  const server = await startServer({ env });
  try {
    const [backend = "process"] = workingBackends();
    const id = await startConversation(server.client, { backend, task: text });
    await runEnd(server.client, id);
    const { page, problems } = await signIn(browser, server);
    await page.goto(`${server.url}/conversations/${id}?panel=changes`);
    await transcript(page).getByText("After the hostile part.").last().waitFor();
    await page.getByText("<b>x<b>.html").first().waitFor();

    const found = await page.evaluate(() => ({
      titled: document.title.includes("owned"),
      loaded: document.querySelectorAll("img[src^='http'], iframe, object, embed").length,
      handlers: document.querySelectorAll("[onerror], [onload]").length,
      links: [...document.querySelectorAll("a")].filter((link) => /^(javascript|data):/i.test(link.href)).length,
    }));
    expect(found).toEqual({ titled: false, loaded: 0, handlers: 0, links: 0 });
    expect(listener.asked).toEqual([]);
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
    await server.dispose();
    await model.close();
    listener.close();
  }
});
