import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { isLiving, processName } from "./process-name.ts";

/** A process that says its name. */
async function named() {
  const module = new URL("process-name.ts", import.meta.url).href;
  const program = `import { processName } from "${module}"; process.stdout.write(processName()); setTimeout(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, name: said.toString() };
}

test("a process lives until it ends, and another with its id is another", async () => {
  const { child, name } = await named();
  expect([isLiving(name), isLiving(processName())]).toEqual([true, true]);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isLiving(name)).toBe(false);
  expect(isLiving(`${processName()}1`)).toBe(false);
});

test("of processes of another machine, or with ids that count elsewhere, nothing is said", () => {
  const [boot = "", namespace = "", pid = "", start = ""] = processName().split("/");
  const others = [`other/${namespace}/${pid}/${start}`, `${boot}/pid:[1]/${pid}/${start}`, "", "what", "a/b/c/d"];
  expect(others.map(isLiving)).toEqual(others.map(() => undefined));
});
