import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sqliteLogStore } from "@handrail/logs/sqlite-log-store";
import { type BrowserContext, chromium } from "playwright-core";
import { withDirectory } from "../parts/free-directory.ts";
import { writeLongLog } from "../parts/sample-events.ts";
import { modelEnvironment, startServerProcess } from "../parts/server-process.ts";
import type { Group, Row } from "../row.ts";
import { median, middleOf, percentile, repeat } from "../samples.ts";

const EVENTS = 20_000;
const JUMPS = 20;
const TIMES = { times: 5, warmUp: 1 };
const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const PROBE = fileURLToPath(new URL("../page/probe.js", import.meta.url));
const PHONE = { width: 390, height: 844 };

/** A long conversation in a real browser against a real server. */
export const browser: Group = {
  name: "browser",
  measures: "a 20,000-event conversation in Chromium: open to readable, and a jump to anywhere",
  run: () => withDirectory(measure),
};

async function measure(home: string): Promise<readonly Row[]> {
  const store = await sqliteLogStore({ file: join(home, "handrail.sqlite") });
  const id = await writeLongLog(store, EVENTS);
  await store.close();
  const server = await startServerProcess({ home, env: modelEnvironment("http://127.0.0.1:9/v1") });
  const executablePath = PROGRAMS.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error("there is no Chromium at its usual places");
  const program = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const context = await program.newContext({ viewport: PHONE });
    await context.addInitScript({ path: PROBE });
    const first = await context.newPage();
    const signedIn = first.waitForResponse((response) => response.url().endsWith("/api/session") && response.ok());
    await first.goto(server.signInUrl);
    await (await signedIn).finished();
    await first.close();
    return rowsOf(await repeat(TIMES, () => openOnce(context, `${server.url}/conversations/${id}`)));
  } finally {
    await program.close();
    await server.stop();
  }
}

type Opened = { readonly readableMs: number; readonly jumps: readonly number[] };

function rowsOf(opened: readonly Opened[]): readonly Row[] {
  const readable = opened.map((each) => each.readableMs);
  return [
    {
      name: `open a ${EVENTS}-event conversation, to readable`,
      unit: "ms",
      p50: median(readable),
      p99: percentile(readable, 1),
      target: { p50AtMost: 1000 },
      note: "from navigation to the log's last line on screen; the second figure is the slowest; page files are cached",
    },
    {
      name: "jump to anywhere in it",
      unit: "ms",
      ...middleOf(opened.map((each) => each.jumps)),
      target: { p50AtMost: 100 },
      note: "from setting the scroll position to a frame with a row in the middle of the view",
    },
  ];
}

async function openOnce(context: BrowserContext, url: string): Promise<Opened> {
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "commit" });
  const readableMs = await Promise.race([page.evaluate<number>("bench.readable"), tooLong()]);
  const jumps = await page.evaluate<readonly number[]>(`bench.jumpAround(${JUMPS})`);
  await page.close();
  return { readableMs, jumps };
}

async function tooLong(): Promise<never> {
  await sleep(30_000, undefined, { ref: false });
  throw new Error("the conversation was not readable within 30 s");
}
