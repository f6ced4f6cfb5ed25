import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { ROOT, type TestServer } from "./test-server.ts";

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const BUILD = "import('./scripts/lib/builds.mjs').then(({ ensureBuilds }) => ensureBuilds())";

/** Chromium, and the page built from the sources as they are: so before the server starts. */
export async function launchBrowser(): Promise<Browser> {
  execFileSync(process.execPath, ["-e", BUILD], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  const executablePath = PROGRAMS.find((program) => existsSync(program));
  if (executablePath === undefined) throw new Error(`No Chromium is at ${PROGRAMS.join(", ")}. Install one.`);
  return chromium.launch({ executablePath, args: ARGUMENTS, timeout: 120_000 });
}

type Look = Parameters<Browser["newContext"]>[0];

/** What a page complained about: errors nobody caught, and errors on its console. */
export type OpenedPage = { readonly page: Page; readonly context: BrowserContext; readonly problems: string[] };

/** A page of a browser that nobody has signed in with yet. */
export async function openPage(browser: Browser, look: Look = {}): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: "reduce", ...look });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket/.test(message.text()))
      problems.push(message.text());
  });
  return { page, context, problems };
}

/** A page that came through the sign-in URL. Works once for each server. */
export async function signIn(browser: Browser, server: TestServer, look: Look = {}): Promise<OpenedPage> {
  const opened = await openPage(browser, look);
  await opened.page.goto(server.signInUrl);
  await opened.page.getByRole("link", { name: "Settings" }).first().waitFor({ state: "attached" });
  return opened;
}

/** Another browser of the same user. */
export async function openAgain(browser: Browser, signedIn: OpenedPage, look: Look = {}): Promise<OpenedPage> {
  return openPage(browser, { storageState: await signedIn.context.storageState(), ...look });
}

export const transcript = (page: Page): Locator => page.getByRole("region", { name: "Transcript" });

export const panel = (page: Page, name: string): Locator => page.getByRole("region", { name, exact: true });

/** How many rows the transcript has, and what those on the screen say; ages and durations left out. */
export async function readTranscript(page: Page): Promise<{ readonly size: number; readonly rows: readonly string[] }> {
  return transcript(page).evaluate((region) => {
    const items = [...region.querySelectorAll("li[aria-posinset]")];
    const rows = items.map((item) => {
      const copy = item.cloneNode(true) as Element;
      for (const time of copy.querySelectorAll("time")) time.remove();
      return `${item.getAttribute("aria-posinset")} ${copy.textContent}`;
    });
    return { size: Number(items[0]?.getAttribute("aria-setsize") ?? 0), rows };
  });
}

/** The lines on a terminal's screen. */
export const terminalLines = (page: Page): Promise<string[]> => page.locator(".xterm-rows > div").allTextContents();

/** A screenshot, where `HANDRAIL_SCREENSHOTS` names a folder for them. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const directory = process.env["HANDRAIL_SCREENSHOTS"];
  if (directory === undefined) return;
  await page.screenshot({ path: path.join(directory, `${name}.png`) });
}

/** The id in the address of a conversation's page. */
export async function conversationIdOf(page: Page): Promise<string> {
  await page.waitForURL(/\/conversations\/[^/?]+/);
  return /\/conversations\/([^/?]+)/.exec(page.url())?.[1] ?? "";
}
