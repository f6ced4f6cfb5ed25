import { type Beside, isMet, type Row, type Target, type Unit } from "./row.ts";

const HEAD = ["what", "p50 / p99", "target", "floor or peer", "met"];

/** The rows as a Markdown table, padded for terminals; notes follow below it. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? "").length)));
  const lines = cells.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const notes = rows.filter((row) => row.note !== undefined).map((row) => `- ${row.name}: ${row.note}`);
  return [lines[0], rule, ...lines.slice(1), ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

function cellsOf(row: Row): string[] {
  const met = isMet(row);
  return [
    row.name,
    figure(row),
    targetText(row.target, row.unit),
    (row.beside ?? []).map((each) => `${each.name} ${figure({ ...each, unit: row.unit })}`).join("; "),
    met === undefined ? "" : met ? "yes" : "NO",
  ];
}

function figure({ p50, p99, unit }: Partial<Beside> & { readonly unit: Unit }): string {
  if (p50 === undefined) return "not measured";
  return `${short(p50)}${p99 === undefined ? "" : ` / ${short(p99)}`} ${unit}`;
}

function targetText(target: Target | undefined, unit: Unit): string {
  if (target === undefined) return "";
  if (target.atLeast !== undefined) return `≥ ${short(target.atLeast)} ${unit}`;
  const p99 = target.p99AtMost === undefined ? "" : ` / ${short(target.p99AtMost)}`;
  return `≤ ${target.p50AtMost === undefined ? "" : short(target.p50AtMost)}${p99} ${unit}`;
}

function short(value: number): string {
  if (Number.isNaN(value)) return "?";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
