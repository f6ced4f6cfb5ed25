// Plain JavaScript for any Node from 20 on.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { environment, ROOT } from "./run.mjs";

const NOT_RUN = ["pending", "skipped", "todo", "disabled"];

/**
 * Runs vitest projects together and counts their tests. What vitest cannot count counts as one failed test: a file that
 * does not load, an error outside of any test, a suite that does not end in time or runs no test. `reports` is a
 * directory for vitest's own report. `files` are the only ones that run, and `place` is where: here, if it is not said.
 */
export async function runSuite({ projects, withinMs, reports, name = projects.join(" and "), files = [], place }) {
  const at = place ?? here(reports);
  const report = `${name.replaceAll(" ", "-")}.json`;
  process.stdout.write(`\n${name}:\n`);
  const chosen = [...projects.flatMap((project) => ["--project", project]), ...files, ...at.options];
  const ending = await finished(commandLine(at, chosen, report), at.environment, withinMs);
  const read = inProject(readReport(path.join(reports, report)), at.root);
  const counts = countsOf(read, ending === "code 0");
  for (const title of skippedIn(read)) process.stdout.write(`${name}: skipped here: ${title}\n`);
  if (ending === "time") process.stdout.write(`${name}: not over after ${withinMs / 60_000} minutes\n`);
  process.stdout.write(`${name}: ${sumLine([counts])}\n`);
  const named = failuresIn(read).map((failure) => `${at.prefix}${failure}`);
  const failures = named.length === 0 && counts.failed > 0 ? [`${name}: no test, see above`] : named;
  return { ...counts, failures };
}

/**
 * Where suites run. `within` are the words before vitest's, `root` and `reports` what the project and the directory of reports
 * are called there, `options` more of vitest's, `prefix` what failures there are named with.
 */
const here = (reports) => ({ within: [], root: ROOT, reports, environment: environment(), options: [], prefix: "" });

function commandLine({ within, root, reports }, chosen, report) {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${path.join(reports, report)}`];
  return [...within, path.join(root, "node_modules/.bin/vitest"), "run", ...chosen, ...reporters];
}

/** Counts of a report in vitest's JSON format (that of Jest); undefined where there is no report. */
export function countsOf(report, endedWell) {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const count = (...states) => tests.filter(({ status }) => states.includes(status)).length;
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  ).length;
  const passed = count("passed");
  const skipped = count(...NOT_RUN);
  const failed = count("failed") + unloaded;
  const silent = failed === 0 && (!endedWell || tests.length === 0) ? 1 : 0;
  return { passed, failed: failed + silent, skipped };
}

/** Names of the tests that did not run, each with its file. */
const skippedIn = (report) => testsOf(report, NOT_RUN).map(({ title }) => title);

/** Names of the tests that failed, each with its file and what it said first; a file that does not load has no test. */
export function failuresIn(report) {
  const files = report?.testResults ?? [];
  const unloaded = files.filter(({ status, assertionResults }) => status === "failed" && assertionResults.length === 0);
  return [
    ...unloaded.map(({ name, message }) => `${path.relative(ROOT, name)}: ${firstLine(message)}`),
    ...testsOf(report, ["failed"]).map(({ title, messages }) => `${title}: ${firstLine(messages?.[0])}`),
  ];
}

function testsOf(report, states) {
  const files = report?.testResults ?? [];
  return files.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => states.includes(status))
      .map(({ fullName, failureMessages }) => ({
        title: `${path.relative(ROOT, name)}: ${fullName}`,
        messages: failureMessages,
      })),
  );
}

const firstLine = (text = "") => text.split("\n", 1)[0].slice(0, 300);

/** `N passed, N failed`, and how many were skipped where some were. */
export function sumLine(results) {
  const sum = (key) => results.reduce((total, counts) => total + counts[key], 0);
  const skipped = sum("skipped");
  return `${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** A report with the files' names in the project, where the project was called `root`. */
export function inProject(report, root) {
  if (report === undefined) return undefined;
  const named = ({ name, ...file }) => ({ ...file, name: path.join(ROOT, path.relative(root, name)) });
  return { ...report, testResults: report.testResults.map(named) };
}

/** Runs a program in a process group of its own, which ends with it. Gives `code N`, or `time` when it was cut off. */
function finished([command, ...args], env, withinMs) {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: "inherit", detached: true });
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nothing of it is left.
    }
  };
  const stop = () => {
    killGroup();
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup();
    }, withinMs);
    child.on("error", () => resolve("code 127"));
    child.on("close", (code) => {
      clearTimeout(timer);
      killGroup();
      process.off("SIGINT", stop).off("SIGTERM", stop);
      resolve(late ? "time" : `code ${code ?? 1}`);
    });
  });
}
