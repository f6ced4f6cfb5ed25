import { expect, test } from "vitest";
import { smallPrograms } from "./small-programs.ts";

test("programs get their words as they are, and say how they ended and why", async () => {
  const run = smallPrograms();
  const word = `it's $HOME "and" \`id\` \\n *  ;`;
  expect(await run("printf", ["%s|", word, ""])).toEqual({ code: 0, stdout: "", stderr: `${word}||` });
  const failed = await run("ls", ["/nonexistent"]);
  expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining("No such file") });
  expect((await run("nonexistent-program", [])).code).toBe(127);
  expect((await run("printf", ["two\nlines"])).stdout).toBe("two\nlines");
});

test("many run at a time, each with its own end; one that kills its shell is told of, and others go on", async () => {
  const run = smallPrograms();
  const codes = await Promise.all(
    Array.from({ length: 12 }, (_, code) => run("sh", ["-c", `sleep 0.05; exit ${code}`])),
  );
  expect(codes.map(({ code }) => code)).toEqual(Array.from({ length: 12 }, (_, code) => code));
  expect((await run("sh", ["-c", "kill -9 $PPID; sleep 0.2"])).code).toBe(null);
  expect((await run("true", [])).code).toBe(0);
});
