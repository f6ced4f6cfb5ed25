import { expect, test } from "vitest";
import { startGateway } from "../testing/gateway-fixture.ts";

test("a key that nobody has is told wherever it is tried, and a missing, revoked or right one is not", async () => {
  const wrong: unknown[] = [];
  const handle = async () => ({ status: 200, body: {} });
  const way = await startGateway({
    deployments: [],
    routes: [{ method: "GET", path: "/key/list", access: "admin", handle }],
    observer: { wrongKey: (from) => void wrong.push(from) },
  });
  try {
    const { record, key: revoked } = await way.books.keys.create({
      name: "r",
      owner: { kind: "user", id: "ann" },
      limits: {},
    });
    Object.assign(record, { revokedAt: 1 });
    const ask = async (path: string, method: string, authorization: string) => {
      const body = method === "POST" ? "{}" : null;
      return (await fetch(way.url + path, { method, headers: { authorization }, body })).status;
    };
    const doors = [
      ["/v1/chat/completions", "POST"],
      ["/v1/messages/count_tokens", "POST"],
      ["/v1/models", "GET"],
      ["/key/list", "GET"],
    ] as const;
    for (const [path, method] of doors) {
      expect(await ask(path, method, "Bearer sk-1234")).toBe(401);
      for (const other of ["", `Bearer ${revoked}`, `Bearer ${way.key}`]) await ask(path, method, other);
    }
    expect(wrong).toEqual(doors.map(() => "127.0.0.1"));
  } finally {
    await way.close();
  }
});
