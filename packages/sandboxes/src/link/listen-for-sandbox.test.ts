import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { listenForSandbox } from "./listen-for-sandbox.ts";

const TOKEN = "0123456789abcdef".repeat(4);
const { signal } = new AbortController();

async function listening() {
  const directory = await mkdtemp(join(tmpdir(), "hr-door-"));
  const listener = await listenForSandbox(directory, TOKEN);
  onTestFinished(async () => {
    await listener.close();
    await rm(directory, { recursive: true, force: true });
  });
  const dial = (): Socket => {
    const socket = connect({ path: listener.path });
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
    return socket;
  };
  return { listener, dial };
}

test("a connection that says the token is given with what follows it, however it is cut", async () => {
  const { listener, dial } = await listening();
  const socket = dial();
  socket.write(TOKEN.slice(0, 10));
  await once(socket, "connect");
  socket.write(`${TOKEN.slice(10)}and more`);
  const taken = await listener.connect(signal);
  const [bytes] = (await once(taken, "data")) as [Buffer];
  expect(bytes.toString()).toBe("and more");
});

test("strangers are let go, and do not keep out the one who says the token, however many they are", async () => {
  const { listener, dial } = await listening();
  const wrong = dial();
  wrong.write("x".repeat(TOKEN.length));
  await once(wrong, "close");
  const silent = Array.from({ length: 200 }, dial);
  const letGo = once(silent[0] ?? wrong, "close");
  dial().write(`${TOKEN}!`);
  const taken = await listener.connect(signal);
  const [bytes] = (await once(taken, "data")) as [Buffer];
  await letGo;
  expect(bytes.toString()).toBe("!");
});
