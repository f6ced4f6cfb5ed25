import { expect, test } from "vitest";
import type { Deployment, Group, Strategy } from "../ports/deployment.ts";
import type { PriceList } from "../ports/price-list.ts";
import { createPlaces, type Places, type Seeking } from "./places.ts";

const place = (id: string, change: Partial<Deployment> = {}): Deployment => ({
  id,
  name: "m",
  provider: "openai_compatible",
  model: "up",
  ...change,
});
const groupOf = (deployments: readonly Deployment[], strategy: Strategy = "weighted"): Group => ({
  name: "m",
  deployments,
  strategy,
  fallbacks: [],
  contextFallbacks: [],
  contentFallbacks: [],
});

const PRICES: PriceList = {
  cost: ({ id }) => ({ dear: 2, cheap: 1 })[id],
  contextTokens: () => undefined,
};

/** Places by a clock and a chance of the test's own. */
function stage({ random = Math.random }: { readonly random?: () => number } = {}) {
  let at = 1_000_000 * 60_000;
  const rests: string[] = [];
  const places = createPlaces({
    prices: PRICES,
    routing: () => ({ retries: 2, backoffMs: 1, allowedFailures: 2, cooldownMs: 30_000 }),
    observer: { rested: ({ id }, until) => rests.push(`${id} ${until - at}`) },
    now: () => at,
    random,
  });
  return { places, rests, pass: (ms: number) => (at += ms) };
}

const seek = (group: Group, change: Partial<Seeking> = {}): Seeking => ({
  group,
  usable: () => true,
  sticky: undefined,
  tokens: 0,
  tried: new Map(),
  ...change,
});

function found(places: Places, seeking: Seeking): string {
  const answer = places.find(seeking);
  return answer.kind === "place" ? answer.deployment.id : answer.kind;
}

/** How often each is found. */
function spread(
  places: Places,
  group: Group,
  sessions: readonly (string | undefined)[],
): Readonly<Record<string, number>> {
  const ids = sessions.map((sticky) => found(places, seek(group, { sticky })));
  return Object.fromEntries([...Map.groupBy(ids, (id) => id)].map(([id, all]) => [id, all.length]));
}

const nobody = (count: number) => Array.from({ length: count }, () => undefined);

/** Chance that is the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("weights share the load", () => {
  const { places } = stage({ random: seeded(7) });
  const { a = 0, b = 0 } = spread(places, groupOf([place("a", { weight: 3 }), place("b")]), nobody(4000));
  expect(a + b).toBe(4000);
  expect(a / 4000).toBeCloseTo(0.75, 1);
});

test("the one with the fewest calls for its weight is chosen, and a call that ends is no longer one", () => {
  const { places } = stage();
  const [a, b] = [place("a"), place("b", { weight: 4 })];
  const group = groupOf([a, b], "least-busy");
  const first = places.begin(a, 0);
  places.begin(b, 0);
  expect(found(places, seek(group))).toBe("b");
  for (let calls = 0; calls < 4; calls += 1) places.begin(b, 0);
  expect(found(places, seek(group))).toBe("a");
  places.begin(a, 0);
  expect(found(places, seek(group))).toBe("b");
  first.end();
  first.end();
  expect(found(places, seek(group))).toBe("a");
});

test("the quickest is chosen, after each was tried, and the newest calls count most", () => {
  const { places } = stage();
  const [a, b] = [place("a"), place("b")];
  const group = groupOf([a, b], "lowest-latency");
  places.succeeded(a, 10);
  expect(found(places, seek(group))).toBe("b");
  places.succeeded(b, 20);
  expect(found(places, seek(group))).toBe("a");
  for (let calls = 0; calls < 5; calls += 1) places.succeeded(a, 50);
  expect(found(places, seek(group))).toBe("b");
});

test("the cheapest is chosen, and before all what has a price", () => {
  const { places } = stage();
  expect(found(places, seek(groupOf([place("dear"), place("cheap"), place("unpriced")], "cheapest")))).toBe("cheap");
  expect(found(places, seek(groupOf([place("unpriced"), place("dear")], "cheapest")))).toBe("dear");
});

test("a conversation stays at its place, and only those of a place that goes move", () => {
  const { places } = stage();
  const all = [place("a"), place("b"), place("c")];
  const sessions = Array.from({ length: 300 }, (_, index) => `s${index}`);
  const where = (group: Group) => sessions.map((sticky) => found(places, seek(group, { sticky })));
  const before = where(groupOf(all, "least-busy"));
  expect(where(groupOf(all, "least-busy"))).toEqual(before);
  expect(Math.min(...Object.values(spread(places, groupOf(all), sessions)))).toBeGreaterThan(60);
  const after = where(groupOf(all.slice(0, 2)));
  expect(after.filter((id, index) => before[index] !== "c" && id !== before[index])).toEqual([]);
});

test("after too many failures within a minute a place rests, and then one failure is too many until a call goes well", () => {
  const { places, rests, pass } = stage({ random: () => 0.5 });
  const [a, b] = [place("a"), place("b")];
  const group = groupOf([a, b]);
  const fail = () => places.failed(a, { error: "sick" });
  places.begin(a, 0);
  fail();
  pass(61_000);
  fail();
  fail();
  expect([rests, found(places, seek(group))]).toEqual([[], "a"]);
  fail();
  expect([rests, found(places, seek(group))]).toEqual([["a 30000"], "b"]);
  expect(places.health("a")).toMatchObject({ state: "resting", failures: 4, lastError: "sick" });
  // All that there is rests: a try costs less than a refusal.
  expect(found(places, seek(groupOf([a])))).toBe("a");
  pass(30_001);
  expect([found(places, seek(group)), places.health("a").state]).toEqual(["a", "failing"]);
  fail();
  expect(rests).toEqual(["a 30000", "a 30000"]);
  pass(30_001);
  places.succeeded(a, 5);
  expect(places.health("a")).toMatchObject({ state: "ok", p50Ms: 5 });
  fail();
  expect(rests).toHaveLength(2);
});

test("a place rests as long as it asks for", () => {
  const { places, rests, pass } = stage();
  const [a, b] = [place("a"), place("b")];
  const at = 1_000_000 * 60_000;
  places.failed(a, { error: "slow down", restUntil: at + 7000 });
  expect([rests, found(places, seek(groupOf([a, b])))]).toEqual([["a 7000"], "b"]);
  pass(7001);
  expect(spread(places, groupOf([a, b]), nobody(200))).toHaveProperty("a");
});

test("a place's own limits of a minute hold, and say when there is room again", () => {
  const { places, pass } = stage();
  const few = place("few", { requestsPerMinute: 2 });
  const small = place("small", { tokensPerMinute: 100 });
  places.begin(few, 5);
  expect(found(places, seek(groupOf([few])))).toBe("few");
  places.begin(few, 5);
  pass(20_000);
  expect(places.find(seek(groupOf([few])))).toEqual({ kind: "busy", until: 1_000_001 * 60_000 });
  expect(found(places, seek(groupOf([few, place("other")])))).toBe("other");
  places.begin(small, 60);
  expect(found(places, seek(groupOf([small]), { tokens: 40 }))).toBe("small");
  expect(found(places, seek(groupOf([small]), { tokens: 41 }))).toBe("busy");
  pass(40_000);
  expect(found(places, seek(groupOf([small]), { tokens: 1000 }))).toBe("small");
  expect(found(places, seek(groupOf([few])))).toBe("few");
});

test("what cannot answer is not found, and what was tried comes last", () => {
  const { places } = stage();
  const group = groupOf([place("a"), place("b")]);
  expect(found(places, seek(group, { usable: () => false }))).toBe("none");
  expect(found(places, seek(group, { tried: new Map([["a", 1]]) }))).toBe("b");
  expect(found(places, seek(group, { tried: new Map(Object.entries({ a: 1, b: 2 })) }))).toBe("a");
});
