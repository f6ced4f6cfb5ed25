import { AppError } from "@handrail/protocol/errors";
import { expect, onTestFinished, test, vi } from "vitest";
import { daemonGate } from "./daemon-gate.ts";

const away = new AppError("backend_unavailable", "No Docker daemon answers at here. Start it.");
const signal = new AbortController().signal;

/** A daemon that answers after so many questions. */
function daemon(awayFor: number) {
  let asked = 0;
  const client = {
    address: "here",
    ping: async () => {
      asked += 1;
      if (asked <= awayFor) throw away;
    },
  };
  return { client, asked: () => asked };
}

test("a daemon that answers is not waited for", async () => {
  const { client, asked } = daemon(0);
  const said: string[] = [];
  await daemonGate(client, 30_000)(signal, (text) => said.push(text));
  expect([asked(), said]).toEqual([1, []]);
});

test("a daemon that starts late is waited for, and that is said once", async () => {
  const { client, asked } = daemon(3);
  const said: string[] = [];
  await daemonGate(client, 30_000)(signal, (text) => said.push(text));
  expect([asked(), said]).toEqual([4, ["Waiting for the Docker daemon at here."]]);
});

test("an outage is waited for once, not by each who asks", async () => {
  const { client, asked } = daemon(Infinity);
  const ready = daemonGate(client, 300);
  await expect(ready(signal)).rejects.toBe(away);
  const before = asked();
  await expect(ready(signal)).rejects.toBe(away);
  expect(asked()).toBe(before + 1);
});

test("an outage after one that ended is waited for anew", async () => {
  let isAway = true;
  const ping = async () => {
    if (isAway) throw away;
  };
  const ready = daemonGate({ address: "here", ping }, 250);
  await expect(ready(signal)).rejects.toBe(away);
  isAway = false;
  await ready(signal);
  isAway = true;
  const said: string[] = [];
  await expect(ready(signal, (text) => said.push(text))).rejects.toBe(away);
  expect(said).toEqual(["Waiting for the Docker daemon at here."]);
});

test("who gives up is not held", async () => {
  const { client } = daemon(Infinity);
  const giveUp = new AbortController();
  const waiting = daemonGate(client, 30_000)(giveUp.signal, () => giveUp.abort(new Error("enough")));
  await expect(waiting).rejects.toThrow("enough");
});

test("an outage is waited for as long as was said, also when the clock is set back", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const ping = async () => {
    vi.setSystemTime(Date.now() - 3_600_000);
    throw away;
  };
  await expect(daemonGate({ address: "here", ping }, 250)(signal)).rejects.toBe(away);
});
