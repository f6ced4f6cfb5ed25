import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, answeringServer } from "./testing/answering-server.ts";

const ID = "c_00000000000000000001";
const [FROM, TO] = ["p_00000000000000000001", "p_00000000000000000002"];

let server: AnsweringServer;
beforeEach(async () => {
  server = await answeringServer({
    GET: {
      from: { checkpointId: FROM, asOf: 3 },
      to: { checkpointId: TO, asOf: 9 },
      changes: [{ path: "a.txt", status: "modified", binary: false }],
      more: false,
      leftOut: 2,
    },
  });
});
afterEach(() => server.close());

test("files of git's own are counted in a comparison, and asked for with --git", async () => {
  expect(await server.run(["diff", ID, FROM, TO])).toEqual({
    code: 0,
    out: "modified  a.txt\n",
    err: "1 file, from event 3 to 9. In .git 2 files more (--git).\n",
  });
  await server.run(["diff", ID, FROM, TO, "--git"]);
  const path = `GET /api/conversations/${ID}/checkpoints/diff?from=${FROM}&to=${TO}`;
  expect(server.requests).toEqual([
    [path, null],
    [`${path}&git=true`, null],
  ]);
});
