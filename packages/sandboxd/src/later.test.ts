import { expect, test } from "vitest";
import type { CallContext } from "./handlers.ts";
import { later, type Loaders } from "./later.ts";

const CALL: CallContext = { id: "k", signal: new AbortController().signal, feed: () => {} };

/** Loaders that note what is loaded. Handlers give their own name. */
function noted() {
  const loaded: string[] = [];
  const loader = (group: string) => async () => {
    loaded.push(group);
    return new Proxy({}, { get: (_target, name) => (name === "then" ? undefined : async () => name) });
  };
  const groups = ["terminal", "file", "search", "snapshot", "workspace", "port", "sandbox", "process"];
  return { loaded, loaders: Object.fromEntries(groups.map((name) => [name, loader(name)])) as unknown as Loaders };
}

test("what operations need is loaded once, when the first of its group is called", async () => {
  const { loaded, loaders } = noted();
  const { handlers } = later(loaders);
  expect(loaded).toEqual([]);
  const calls = [
    handlers["port.wait"]({ known: [], timeoutMs: 0 }, CALL),
    handlers["port.wait"]({ known: [], timeoutMs: 0 }, CALL),
  ];
  expect(await Promise.all(calls)).toEqual(["port.wait", "port.wait"]);
  expect(await handlers["workspace.begin"]({}, CALL)).toBe("workspace.begin");
  expect(loaded).toEqual(["port", "workspace"]);
});

test("all can be loaded ahead, each once", async () => {
  const { loaded, loaders } = noted();
  const { handlers, load } = later(loaders);
  await handlers["snapshot.keep"]({ at: "x" } as never, CALL);
  await load();
  await load();
  expect(loaded).toEqual(["snapshot", "terminal", "file", "search", "workspace", "port", "sandbox", "process"]);
});
