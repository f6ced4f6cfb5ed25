import { expect, test } from "vitest";
import { editBody } from "./edit-body.ts";

const edit = (text: string, set: Record<string, string>, drop: readonly string[] = []) =>
  editBody(Buffer.from(text), { set, drop: new Set(drop) }).toString("utf8");

test("only the model's own bytes change, whatever else is called model", () => {
  const rest = `"messages": [{"model":"no","content":"\\"model\\": \\"x\\\\"}],\n "tools":[{"model":{"model":"deep"}}]`;
  expect(edit(`{ "model" :  "a" , ${rest}}`, { model: '"b"' })).toBe(`{ "model" :  "b" , ${rest}}`);
  expect(edit(`{${rest} , "model":"a"}`, { model: '"b"' })).toBe(`{${rest} , "model":"b"}`);
  expect(edit('{"mod\\u0065l":"a"}', { model: '"b"' })).toBe('{"mod\\u0065l":"b"}');
});

test("a model that is named twice is changed twice", () => {
  expect(edit('{"model":"a","x":1,"model":"c"}', { model: '"b"' })).toBe('{"model":"b","x":1,"model":"b"}');
});

test("what is missing is put in front", () => {
  expect(edit('{"x":1}', { model: '"b"' })).toBe('{"model":"b","x":1}');
  expect(edit("{ }", { model: '"b"' })).toBe('{"model":"b" }');
  expect(edit('{"x":1}', { model: '"b"' }, ["x"])).toBe('{"model":"b"}');
});

test("a body that needs no change is the same buffer", () => {
  const body = Buffer.from('{"model":"a", "x":1}');
  expect(editBody(body, { set: { model: '"a"' }, drop: new Set(["cache"]) })).toBe(body);
});

test("members are taken out with one comma, in front, in the middle, at the end, and all of them", () => {
  const drop = ["cache", "tags"];
  expect(edit('{"cache":{"a":[1,"}"]},"x":1}', {}, drop)).toBe('{"x":1}');
  expect(edit('{"x":1,"cache":1,"tags":[],"y":2}', {}, drop)).toBe('{"x":1,"y":2}');
  expect(edit('{"x":1, "cache":1 ,"tags":[] }', {}, drop)).toBe('{"x":1 }');
  expect(edit('{"cache":true,"tags":null}', {}, drop)).toBe("{}");
  expect(edit('{"cache":1,"x":1,"cache":2}', {}, drop)).toBe('{"x":1}');
});

test("what is made of any object parses to that object with the changes", () => {
  const texts = ['{"a":-1.5e3,"b":null,"c":"\\\\","d":{"e":[{}]},"f":"ä\\"\\\\\\""}', '{\n\t"a" : true\n}', "{}"];
  for (const text of texts) {
    const value = JSON.parse(text) as object;
    expect(JSON.parse(edit(text, { a: "7", z: '"n"' }))).toEqual({ ...value, a: 7, z: "n" });
  }
});
