import type { ScriptedModel } from "@handrail/scripted-model/scripted-model";
import type { Script } from "@handrail/scripted-model/script";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, type OpenedPage, signIn } from "./browser.ts";
import { startModels } from "./browser-model.ts";
import { startServer, type TestServer } from "./test-server.ts";

/** A server, scripted models, and a browser in which its user is signed in. */
export type BrowserStage = {
  readonly browser: Browser;
  readonly server: TestServer;
  readonly model: ScriptedModel;
  readonly user: OpenedPage;
  readonly page: Page;
  close(): Promise<void>;
};

/** What was opened before something failed is closed again. */
export async function openBrowserStage(
  scripts: readonly Script[],
  options?: Parameters<typeof startServer>[0],
): Promise<BrowserStage> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    const browser = await launchBrowser();
    closers.push(() => browser.close());
    const server = await startServer(options);
    closers.push(() => server.dispose());
    const model = await startModels(scripts);
    closers.push(() => model.close());
    const user = await signIn(browser, server);
    return { browser, server, model, user, page: user.page, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
