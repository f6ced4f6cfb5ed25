import { type Duplex, duplexPair } from "node:stream";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { diskHelper } from "./disk-helper.ts";
import { madeNames } from "../labels/made-names.ts";

type Parts = Parameters<typeof diskHelper>[0];
type Line = { readonly id?: number; readonly type?: string; readonly volume?: string };

/** What a helper says to a line; undefined: nothing. */
type Behaviour = (line: Line) => object | "ends" | undefined;

const numbered = ({ id = 0 }: Line) => ({ id });
const WELL: Behaviour = (line) => (line.type === undefined ? { id: 0, code: "sandbox_failed" } : numbered(line));
/** From before what is not understood was answered with its number. */
const OLDER: Behaviour = () => ({ id: 0, code: "sandbox_failed", message: "Invalid input" });
const TOLD: Behaviour = (line) =>
  line.type === undefined ? WELL(line) : { ...numbered(line), code: "sandboxd_mismatch" };
const RUBBISH: Behaviour = (line) => (line.type === undefined ? WELL(line) : { ...numbered(line), code: "new" });
const ENDS: Behaviour = (line) => (line.type === undefined ? WELL(line) : "ends");

/** A daemon whose helpers behave so, one after the other; what it is asked for, and what the helpers are, is in `log`. */
function daemon(...behaviours: readonly Behaviour[]) {
  const log: string[] = [];
  const streams = new Map<string, Duplex>();
  const client = {
    findImage: async () => ({ id: "nothing" }),
    createContainer: async () => {
      const id = String(streams.size + 1);
      log.push(`made ${id}`);
      const [here, there] = duplexPair();
      streams.set(id, here);
      serve(there, behaviours[streams.size - 1] ?? WELL, (line) => log.push(`${id}: ${line.type} ${line.volume}`));
      return id;
    },
    attach: async (id: string) => streams.get(id),
    startContainer: async () => undefined,
    removeContainer: async (id: string) => void log.push(`removed ${id}`),
  };
  const volumes = { programs: async () => ({ name: "p", directory: "/volumes/p/_data" }) };
  const facts = async () => ({ product: "Docker", userNamespaces: false });
  const parts = { client, names: madeNames("a"), volumes, facts } as unknown as Parts;
  const helper = diskHelper(parts);
  const mount = (volume: string) => helper.ask({ type: "mount", volume });
  return { helper, log, mount };
}

function serve(stream: Duplex, behave: Behaviour, onRequest: (line: Line) => void): void {
  const lines = createInterface({ input: stream }).on("close", () => stream.end());
  lines.on("line", (text) => {
    const line = text === "" ? {} : (JSON.parse(text) as Line);
    if (line.type !== undefined) onRequest(line);
    const said = behave(line);
    if (said === "ends") stream.destroy();
    else if (said !== undefined) stream.write(`${JSON.stringify(said)}\n`);
  });
}

test("one helper serves until the server leaves", async () => {
  const { helper, log, mount } = daemon(WELL);
  await mount("v1");
  await mount("v2");
  await helper.close();
  expect(log).toEqual(["made 1", "1: mount v1", "1: mount v2"]);
  await expect(mount("v3")).rejects.toMatchObject({ code: "backend_unavailable" });
});

test.each([
  ["does not understand, and says so", TOLD],
  ["does not understand, and does not say what", OLDER],
  ["says what the server does not understand", RUBBISH],
  ["ends", ENDS],
])("a helper that %s is taken away, and another is asked once more", async (_how, behaviour) => {
  const { log, mount } = daemon(behaviour);
  await mount("v1");
  await mount("v2");
  expect(log).toEqual(["made 1", "1: mount v1", "removed 1", "made 2", "2: mount v1", "2: mount v2"]);
});

test("when no helper understands, that is told with what to do", async () => {
  const { log, mount } = daemon(OLDER, TOLD);
  await expect(mount("v1")).rejects.toMatchObject({
    code: "sandbox_failed",
    message:
      "The helper that mounts workspaces' disks is lost: it is of another version than the server, which has to be built and started anew.",
  });
  expect(log).toEqual(["made 1", "1: mount v1", "removed 1", "made 2", "2: mount v1"]);
});
