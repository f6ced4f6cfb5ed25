import { Readable } from "node:stream";
import { AppError } from "@handrail/protocol/errors";
import { expect, onTestFinished, test, vi } from "vitest";
import { someUsers } from "../sandbox-user.ts";
import type { ContainerSpec } from "./docker-shapes.ts";
import { DockerError } from "./docker-error.ts";
import { madeNames } from "../labels/made-names.ts";
import { userQuotas } from "./user-quotas.ts";

const USERS = someUsers(true, 64);
const MAP = "         0       1000          1\n         1     100000      65535\n";
const LIMIT = { bytes: 10 * 1024 ** 3, files: 700_000 };

type Said = string | Error;

/** A rootless daemon whose containers say this, one after the other, and where ids are mapped what the kernel says of that. */
function setUp(...said: Said[]) {
  const specs: ContainerSpec[] = [];
  const volumes: string[] = [];
  const client = {
    findImage: async () => ({ id: "nothing", architecture: "amd64" }),
    createVolume: async (name: string) => void volumes.push(name),
    removeVolume: async (name: string) => void volumes.splice(volumes.indexOf(name), 1),
    createContainer: async (_name: string, spec: ContainerSpec) => {
      specs.push(spec);
      return spec.Cmd.at(-1) ?? "";
    },
    attach: async (id: string) => {
      const next = id.endsWith("id_map") ? MAP : said.shift();
      if (next === undefined || typeof next !== "string") throw next ?? new Error("Nothing is said any more.");
      return Readable.from([Buffer.from(next)]);
    },
    startContainer: async () => undefined,
    removeContainer: async () => undefined,
  };
  const parts = {
    client,
    names: madeNames("i"),
    volumes: { programs: async () => ({ name: "programs", directory: "" }) },
    facts: async () => ({ userNamespaces: true }),
  };
  return { quotas: userQuotas(parts as unknown as Parameters<typeof userQuotas>[0]), specs, volumes };
}

const answer = (limits: object, more: Readonly<Record<number, object>> = {}, enforced = true) =>
  JSON.stringify({ enforced, limits: USERS.map((user) => ({ user, ...limits, ...more[user] })) });

test("workspaces are bounded by what the least of the users may store", async () => {
  const { quotas, specs, volumes } = setUp(answer(LIMIT, { 61_439: { bytes: 2 ** 30 }, 4096: { files: 5 } }));
  expect(await quotas()).toEqual({ bounded: true, bytes: 2 ** 30, files: 5 });
  expect(volumes).toEqual([]);
  expect(specs).toHaveLength(1);
  expect(specs[0]).toMatchObject({
    Image: "nothing",
    User: "0:0",
    Entrypoint: ["/handrail/sandboxd"],
    Cmd: ["quotas", "--directory", "/seen", ...USERS.flatMap((user) => ["--user", String(user)])],
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      CapAdd: ["CHOWN", "SETUID"],
      SecurityOpt: ["no-new-privileges", "seccomp=unconfined", "label=disable"],
      ReadonlyRootfs: true,
      Mounts: [
        { Type: "volume", Source: "programs", Target: "/handrail", ReadOnly: true },
        { Type: "volume", Target: "/seen" },
      ],
    },
  });
});

test.each([
  ["bytes", { bytes: 0 }],
  ["files", { files: 0 }],
])("one user without a limit on %s is told, as the machine knows that user", async (what, none) => {
  const { quotas } = setUp(answer(LIMIT, { [USERS[9] ?? 0]: none }));
  expect(await quotas()).toEqual({
    bounded: false,
    why: `Quotas are on where it keeps volumes, but the user ${99_999 + (USERS[9] ?? 0)} has no limit on ${what}.`,
  });
});

test.each([
  ["has none", JSON.stringify({ enforced: false, limits: [] })],
  ["does not keep them", answer(LIMIT, {}, false)],
  ["says nothing", ""],
  ["says something else", '{"enforced":true}'],
  ["says less than it was asked for", JSON.stringify({ enforced: true, limits: [{ user: 4096, ...LIMIT }] })],
  ["starts no container", new DockerError(500, "no")],
])("a daemon that %s has no quotas", async (_, said) => {
  const { quotas, volumes } = setUp(said);
  expect(await quotas()).toEqual({ bounded: false, why: "" });
  expect(volumes).toEqual([]);
});

test("a daemon that is away is a failure, after which it is asked anew; an answer holds for a minute", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const away = new AppError("backend_unavailable", "No Docker daemon answers.");
  const { quotas } = setUp(away, answer(LIMIT), answer({ ...LIMIT, files: 9 }));
  await expect(quotas()).rejects.toBe(away);
  const bounded = { bounded: true, ...LIMIT };
  expect(await Promise.all([quotas(), quotas()])).toEqual([bounded, bounded]);
  vi.advanceTimersByTime(59_000);
  expect(await quotas()).toEqual(bounded);
  vi.advanceTimersByTime(1_001);
  expect(await quotas()).toEqual({ bounded: true, ...LIMIT, files: 9 });
});
