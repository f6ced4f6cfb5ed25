import type { CallLabels, CallLine } from "./call-lines.ts";
import type { Family, Label } from "./families.ts";
import { addHistogram, emptyHistogram, type Histogram, LATENCY_BUCKETS } from "./histogram.ts";

/** The families' values in Prometheus' text format, version 0.0.4. Lines that differ only in labels a family lacks are added. */
export function exposition(families: readonly Family[], lines: readonly CallLine[]): string {
  return families.map((family) => familyText(family, lines)).join("");
}

function familyText(family: Family, lines: readonly CallLine[]): string {
  const name = family.type === "counter" ? `${family.name}_total` : family.name;
  const head = `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.type}\n`;
  return head + (family.type === "counter" ? counters(family, lines) : histograms(family, lines));
}

function counters(family: Extract<Family, { type: "counter" }>, lines: readonly CallLine[]): string {
  const sums = new Map<string, number>();
  for (const line of lines) {
    const value = family.value(line);
    if (value === 0) continue;
    const labels = labelText(family.labels, line.labels);
    sums.set(labels, (sums.get(labels) ?? 0) + value);
  }
  return [...sums].map(([labels, value]) => `${family.name}_total{${labels}} ${value}\n`).join("");
}

function histograms(family: Extract<Family, { type: "histogram" }>, lines: readonly CallLine[]): string {
  const sums = new Map<string, Histogram>();
  for (const line of lines) {
    const value = family.value(line);
    if (value.count === 0) continue;
    const labels = labelText(family.labels, line.labels);
    const sum = sums.get(labels) ?? emptyHistogram();
    addHistogram(sum, value);
    sums.set(labels, sum);
  }
  return [...sums].map(([labels, value]) => histogramText(family.name, labels, value)).join("");
}

function histogramText(name: string, labels: string, { counts, sum, count }: Histogram): string {
  let below = 0;
  const buckets = [...LATENCY_BUCKETS, "+Inf"].map((bound, index) => {
    below += counts[index] ?? 0;
    return `${name}_bucket{${labels},le="${bound}"} ${below}\n`;
  });
  return `${buckets.join("")}${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${count}\n`;
}

function labelText(labels: readonly Label[], values: CallLabels): string {
  return labels.map(([name, from]) => `${name}="${from === undefined ? "" : escaped(values[from])}"`).join(",");
}

/** As the format wants it; what is longer than a name can be is cut. */
function escaped(value: string): string {
  return value.slice(0, 200).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
