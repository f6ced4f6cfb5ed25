import { AppError } from "@handrail/protocol/errors";
import { expect, test } from "vitest";
import { CriError } from "./cri-error.ts";
import type { RuntimeHandler } from "./cri-shapes.ts";
import type { FenceWish } from "./root-fence.ts";
import { fenceText, findRootFence, requireFence, unasked } from "./root-fence.ts";

const HANDLERS = ["", "runc", "gvisor", "mapped"].map((name) => ({
  name,
  features: { userNamespaces: name === "mapped" },
}));
const IN_CONFIG = JSON.stringify({ containerd: { runtimes: { runc: {}, gvisor: {} } } });

type Runtime = { readonly handlers?: readonly RuntimeHandler[]; readonly config?: string };
type Asked = Partial<Pick<FenceWish, "runtimeHandler" | "devRuntime" | "hasOwnKernel">>;

function find({ handlers = [], config = "" }: Runtime, asked: Asked) {
  const client: FenceWish["client"] = {
    version: async () => ({ runtimeName: "containerd", runtimeVersion: "2.1.9" }),
    status: async () => ({ conditions: [], info: { config }, handlers }),
  };
  const unasked = async () => Promise.reject(new Error("The kernel is not to be asked."));
  const wish = { client, runtimeHandler: "", devRuntime: undefined, hasOwnKernel: unasked, ...asked };
  return findRootFence(wish, new AbortController().signal);
}

test("a user namespace holds root where the runtime says that its handler can make one", async () => {
  const users = { handler: "mapped", by: "users" };
  expect(await find({ handlers: HANDLERS }, { runtimeHandler: "mapped" })).toEqual(users);
  expect(await find({ handlers: [{ name: "", features: { userNamespaces: true } }] }, {})).toEqual({
    handler: "",
    by: "users",
  });
  const sharing = { devRuntime: "mapped", hasOwnKernel: async () => false };
  expect(await find({ handlers: HANDLERS }, { ...sharing, runtimeHandler: "runc" })).toEqual(users);
});

test("a kernel of its own holds root, of a runtime too that does not tell of its handlers", async () => {
  const asked = { devRuntime: "gvisor", hasOwnKernel: async () => true };
  for (const runtime of [{ handlers: HANDLERS }, { config: IN_CONFIG }, {}]) {
    expect(await find(runtime, asked)).toEqual({ handler: "gvisor", by: "kernel" });
  }
});

test("without either it is said why, and what to do", async () => {
  const silent = [{ name: "", features: null }];
  const takes =
    "That takes containerd 2 or a recent CRI-O with runc 1.2 or crun 1.9; or set containerd-dev-runtime to a handler with a kernel of its own, such as gVisor's runsc.";
  const none = { why: "containerd 2.1.9 gives pods no users of their own", remedy: takes };
  expect(await find({ handlers: silent }, {})).toEqual(none);
  expect(await find({ handlers: HANDLERS }, { runtimeHandler: "gvisor" })).toEqual(none);
  expect(await find({ config: IN_CONFIG }, { devRuntime: "kata" })).toEqual({
    why: "the runtime has no handler kata (it has: runc, gvisor)",
    remedy: "Add it to the runtime's configuration and restart it, or set containerd-dev-runtime to one that it has.",
  });
  expect(await find({ handlers: HANDLERS }, { devRuntime: "runc", hasOwnKernel: async () => false })).toEqual({
    why: "the handler runc gives pods neither a kernel nor users of their own",
    remedy: "Set containerd-dev-runtime to one that does, such as gVisor's runsc.",
  });
  const broken = async () => Promise.reject(new CriError("exec: runsc:\n not found"));
  expect(await find({ handlers: HANDLERS }, { devRuntime: "gvisor", hasOwnKernel: broken })).toEqual({
    why: "nothing starts under the handler gvisor (exec: runsc: not found)",
    remedy: "Look into the runtime's configuration and its log.",
  });
});

test("a handler that could not be asked is told with the reason, whatever that is", () => {
  const remedy = "Look into the runtime's configuration and its log.";
  expect(unasked("gvisor", new Error("It took too long."))).toEqual({
    why: "nothing starts under the handler gvisor (It took too long)",
    remedy,
  });
  expect(unasked("", "odd")).toEqual({ why: "nothing starts under the handler of the runtime's choice (odd)", remedy });
});

test("a sandbox without a fence is refused with the reason, and health says it in a few words", () => {
  const missing = { why: "it is old", remedy: "Take a new one." };
  expect(() => requireFence(missing)).toThrow(
    new AppError(
      "backend_unavailable",
      "containerd sandboxes do not have the profile dev here: it is old. Take a new one. Or use the docker backend, or another profile.",
      { profile: "dev" },
    ),
  );
  expect(
    [missing, { handler: "", by: "users" } as const, { handler: "gvisor", by: "kernel" } as const].map(fenceText),
  ).toEqual(["no profile dev: it is old", "dev in user namespaces", "dev with the kernel of gvisor"]);
});
