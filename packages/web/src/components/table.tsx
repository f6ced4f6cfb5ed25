import type { ReactNode } from "react";
import { classNames } from "./class-names.ts";

export type Column<Row> = {
  readonly name: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand at the right. */
  readonly number?: boolean;
};

type TableProps<Row> = {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
};

/** Rows under named columns; scrolls sideways where the screen is narrow. */
export function Table<Row>({ label, columns, rows, keyOf }: TableProps<Row>) {
  return (
    // Whoever has no pointer scrolls it with the arrow keys.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className="overflow-x-auto" aria-label={label} tabIndex={0}>
      <table className="w-full border-collapse text-ui">
        <thead>
          <tr className="border-b border-line-strong text-ink-2">
            {columns.map(({ name, number }) => (
              <th key={name} scope="col" className={cellLook(number, "font-medium")}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className="border-b border-line">
              {columns.map(({ name, cell, number }) => (
                <td key={name} className={cellLook(number)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function cellLook(number: boolean | undefined, more = ""): string {
  return classNames("px-2 py-1.5 first:pl-0 last:pr-0", number ? "text-right tabular-nums" : "text-left", more);
}
