import { describe, expect, test } from "vitest";
import type { Deployment } from "../ports/deployment.ts";
import { catalogOf, NO_RULES } from "./catalog.ts";

const place = (id: string, name: string, model = name): Deployment => ({ id, name, provider: "openai", model });
const PLACES = [
  place("1", "gpt", "gpt-a"),
  place("2", "gpt", "gpt-b"),
  place("3", "*"),
  place("4", "anthropic/*", "*"),
  place("5", "anthropic/claude-*", "claude-*-latest"),
];
const RULES = {
  ...NO_RULES,
  aliases: { best: "gpt", sonnet: "anthropic/claude-sonnet", loop: "loop2", loop2: "loop" },
  fallbacks: { gpt: ["gpt", "other"], "anthropic/*": ["gpt"] },
  contextFallbacks: { "*": ["long"] },
  defaultFallbacks: ["last"],
};
const catalog = catalogOf(
  () => PLACES,
  () => RULES,
);
const found = (name: string) => {
  const group = catalog.find(name);
  return group && [group.name, ...group.deployments.map(({ id, model }) => `${id}:${model}`)];
};

describe("a catalog", () => {
  test("finds a group by its name, by an alias, or by the longest wildcard that matches", () => {
    const names = ["gpt", "best", "sonnet", "anthropic/claude-opus", "anthropic/other", "anything/$&", "loop"];
    expect(names.map(found)).toEqual([
      ["gpt", "1:gpt-a", "2:gpt-b"],
      ["gpt", "1:gpt-a", "2:gpt-b"],
      ["anthropic/claude-sonnet", "5:claude-sonnet-latest"],
      ["anthropic/claude-opus", "5:claude-opus-latest"],
      ["anthropic/other", "4:other"],
      ["anything/$&", "3:anything/$&"],
      ["loop2", "3:loop2"],
    ]);
  });

  test("knows nothing by a name with a wildcard in it, by an empty one, or by what every object has", () => {
    expect(["*", "anthropic/*", "a*b", ""].map(found)).toEqual([undefined, undefined, undefined, undefined]);
    const alone = catalogOf(() => [place("1", "gpt")]);
    expect(["toString", "__proto__", "constructor", "gpt2"].map((name) => alone.find(name))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("gives each group its fallbacks, never itself, and those of all where it has none", () => {
    const chains = (name: string) => {
      const group = catalog.find(name);
      return [group?.fallbacks, group?.contextFallbacks, group?.contentFallbacks];
    };
    expect(["gpt", "anthropic/other", "else"].map(chains)).toEqual([
      [["other"], ["long"], []],
      [["gpt"], ["long"], []],
      [["last"], ["long"], []],
    ]);
  });

  test("lists groups in the order of their definition", () => {
    expect(catalog.list().map(({ name }) => name)).toEqual(["gpt", "*", "anthropic/*", "anthropic/claude-*"]);
  });

  test("shows a change at the next question", () => {
    let places: readonly Deployment[] = [place("1", "a")];
    const changing = catalogOf(() => places);
    expect(changing.find("b")).toBeUndefined();
    places = [...places, place("2", "b")];
    expect(changing.find("b")?.deployments).toEqual([place("2", "b")]);
  });
});
