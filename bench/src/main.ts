import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { GROUPS } from "./groups.ts";
import { machineLine } from "./machine.ts";
import { type Group, isMet, missing, type Row, type RunOptions } from "./row.ts";
import { tableOf } from "./table.ts";

const HELP = `Measures Handrail on this machine and prints a table of each measurement as it ends.

  npm run bench [-- NAME… ] [-- --json] [-- --output FILE] [-- --full]

${GROUPS.map((group) => `  ${group.name.padEnd(10)}${group.measures}`).join("\n")}

  --json      print the rows as JSON instead
  --output    write the JSON to a file as well
  --full      gateway: memory after 100,000 calls instead of 20,000

See docs/benchmarks.md.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      output: { type: "string" },
      full: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const unknown = positionals.filter((name) => !GROUPS.some((group) => group.name === name));
  if (unknown.length > 0) throw new Error(`There is no measurement named ${unknown.join(", ")}. See --help.`);
  const chosen = GROUPS.filter((group) => positionals.length === 0 || positionals.includes(group.name));
  const [load] = loadavg();
  const about = { date: new Date().toISOString(), machine: machineLine(), loadAtStart: load };
  const say = (text: string) => values.json || process.stdout.write(`${text}\n`);
  say(`${about.machine}\n${about.date}, load ${load?.toFixed(1)} at the start`);
  const rows: Row[] = [];
  for (const group of chosen) {
    const measured = await rowsOf(group, { full: values.full });
    say(`\n${tableOf(measured)}`);
    rows.push(...measured);
  }
  const result = { ...about, rows: rows.map((row) => ({ ...row, met: isMet(row) ?? null })) };
  const json = `${JSON.stringify(result, null, 2)}\n`;
  if (values.output !== undefined) await writeFile(values.output, json);
  if (values.json) process.stdout.write(json);
}

/** A measurement that fails is a row that says so; the others go on. */
async function rowsOf(group: Group, options: RunOptions): Promise<readonly Row[]> {
  process.stderr.write(`${group.name}: ${group.measures} …\n`);
  try {
    return await group.run(options);
  } catch (thrown) {
    return [missing(group.name, "ms", thrown)];
  }
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 2;
});
