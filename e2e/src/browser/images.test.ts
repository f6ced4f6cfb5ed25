import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { launchBrowser, signIn, transcript } from "../support/browser.ts";
import { eventsOf, runEnd, startConversation } from "../support/conversations.ts";
import { scriptedEnvironment } from "../support/model-env.ts";
import { workingBackends } from "../support/sandbox-kills.ts";
import { startServer } from "../support/test-server.ts";

/** A picture of one pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** What a browser does when files are pasted or dropped there. */
function give(box: Locator, how: "paste" | "drop", name: string): Promise<void> {
  return box.evaluate(
    (element, given) => {
      const bytes = Uint8Array.from(atob(given.base64), (character) => character.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], given.name, { type: "image/png" }));
      const options = { bubbles: true, cancelable: true };
      const event =
        given.how === "paste"
          ? new ClipboardEvent("paste", { ...options, clipboardData: data })
          : new DragEvent("drop", { ...options, dataTransfer: data });
      element.dispatchEvent(event);
    },
    { base64: PNG, how, name },
  );
}

test("images come by paste and by drop, are sent with the message, reach the model and are shown", async () => {
  const { model, env } = await scriptedEnvironment({
    name: "seer",
    turns: [{ text: "Hello." }],
    otherwise: { text: "Two dots." },
  });
  const browser = await launchBrowser();
  const server = await startServer({ env });
  try {
    const [backend = "process"] = workingBackends();
    const id = await startConversation(server.client, { backend, task: "hello" });
    await runEnd(server.client, id);
    const { page, problems } = await signIn(browser, server);
    await page.goto(`${server.url}/conversations/${id}`);
    await transcript(page).getByText("Hello.").waitFor();
    const box = page.getByRole("textbox", { name: /message|next/i }).first();
    await give(box, "paste", "pasted.png");
    await give(box, "drop", "dropped.png");
    await page.getByRole("img", { name: "pasted.png" }).waitFor();
    await page.getByRole("img", { name: "dropped.png" }).waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await transcript(page).getByText("Two dots.").waitFor();

    const { log } = await runEnd(server.client, id);
    const sent = eventsOf(log, "message.added")
      .at(-1)
      ?.content.map((part) => part.type);
    expect(sent).toEqual(["image", "image"]);
    expect(JSON.stringify(model.requests().at(-1)?.body).split(`data:image/png;base64,${PNG}`)).toHaveLength(3);
    const shown = transcript(page).getByRole("img");
    await expect.poll(() => shown.count()).toBe(2);
    const widths = await shown.evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
    expect(widths).toEqual([1, 1]);
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
    await server.dispose();
    await model.close();
  }
});
