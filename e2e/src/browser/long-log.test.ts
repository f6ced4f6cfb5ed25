import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { launchBrowser, panel, screenshot, signIn, transcript } from "../support/browser.ts";
import { writeLongConversation } from "../support/browser-long-log.ts";
import { startServer } from "../support/test-server.ts";

const EVENTS = 20_000;
const FIRST = "Make the twenty thousand tests pass.";
const LAST = "All twenty thousand pass.";

test("a conversation of 20,000 events opens at its end, and its first message is at the top", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "handrail-e2e-"));
  const id = await writeLongConversation(home, { events: EVENTS, firstMessage: FIRST, lastWords: LAST });
  const browser = await launchBrowser();
  const server = await startServer({ home });
  try {
    const { page, problems } = await signIn(browser, server);
    const opening = performance.now();
    await page.goto(`${server.url}/conversations/${id}`);
    await transcript(page).getByText(LAST).waitFor();
    report("opened", opening);
    await screenshot(page, "long-end-1440-light");
    expect(await transcript(page).getByRole("listitem").count()).toBeLessThan(100);

    const scrolling = performance.now();
    await transcript(page).evaluate((region) => region.scrollTo(0, 0));
    await transcript(page).getByText(FIRST).waitFor();
    report("its top shown", scrolling);
    await screenshot(page, "long-top-1440-light");

    const back = performance.now();
    await page.getByRole("button", { name: "To the end" }).click();
    await transcript(page).getByText(LAST).waitFor();
    report("its end shown again", back);

    await page.goto(`${server.url}/conversations/${id}?panel=log`);
    const { head } = await server.client.events({ params: { id }, query: { after: -1, limit: 1 } });
    await panel(page, "Log")
      .getByText(String(head + 1), { exact: true })
      .waitFor();
    expect(head + 1).toBeGreaterThanOrEqual(EVENTS);
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
    await server.dispose();
  }
});

function report(what: string, since: number): void {
  process.stdout.write(`${EVENTS} events: ${what} after ${Math.round(performance.now() - since)} ms.\n`);
}
