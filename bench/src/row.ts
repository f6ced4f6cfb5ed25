export type Unit = "ms" | "events/s" | "starts/s" | "bytes" | "kB" | "MB";

/** What stands beside a figure: the least that the machine allows (a floor), or another program (a peer). */
export type Beside = { readonly name: string; readonly p50: number; readonly p99?: number };

/** A bound that a figure must keep. `atLeast` is for rates. */
export type Target = { readonly p50AtMost?: number; readonly p99AtMost?: number; readonly atLeast?: number };

/** One line of the table. Without `p50` it could not be measured, and `note` says why. */
export type Row = {
  readonly name: string;
  readonly unit: Unit;
  readonly p50?: number;
  readonly p99?: number;
  readonly target?: Target;
  readonly beside?: readonly Beside[];
  readonly note?: string;
};

/** How much is measured: `full` takes longer where a group says so. */
export type RunOptions = { readonly full?: boolean | undefined };

/** Some rows that are measured together. `measures` is one sentence for people. */
export type Group = {
  readonly name: string;
  readonly measures: string;
  run(options: RunOptions): Promise<readonly Row[]>;
};

/** Whether the figure keeps its target; undefined when there is no figure or no target. */
export function isMet({ p50, p99, target }: Row): boolean | undefined {
  if (p50 === undefined || target === undefined) return undefined;
  if (target.atLeast !== undefined && p50 < target.atLeast) return false;
  if (target.p50AtMost !== undefined && p50 > target.p50AtMost) return false;
  return target.p99AtMost === undefined || (p99 !== undefined && p99 <= target.p99AtMost);
}

/** What gives some rows, and what to call them when it gives none. */
export type Measure = {
  readonly name: string;
  readonly unit: Unit;
  readonly rows: () => Promise<readonly Row[]>;
};

/** The rows of measures, one after another. One that fails is a row that says so, and the others go on. */
export async function measureAll(measures: readonly Measure[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const measure of measures) {
    const measured = await measure.rows().catch((thrown: unknown) => [missing(measure.name, measure.unit, thrown)]);
    rows.push(...measured);
  }
  return rows;
}

/** A row for what could not be measured. */
export function missing(name: string, unit: Unit, thrown: unknown): Row {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return { name, unit, note: `not measured: ${text.split("\n", 1)[0]}` };
}
