import { SpendGroup, type SpendRow } from "@handrail/protocol/gateway";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { Bars } from "../../components/bars.tsx";
import { Empty, Failure } from "../../components/empty.tsx";
import { Choices } from "../../components/field.tsx";
import { Section } from "../../components/section.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatCount, formatMoney, plural } from "../../state/format.ts";
import { gatewaySpendQuery } from "../../state/gateway-queries.ts";
import { useServices } from "../../state/services.ts";
import { daysUntil, type Span, SPANS, type SpendPlace, startOf } from "../../state/spend-place.ts";
import { report } from "../../state/toasts.ts";
import { useNow } from "../../state/use-now.ts";
import { LastCalls } from "./last-calls.tsx";

const GROUP_NAMES: Readonly<Record<SpendGroup, string>> = {
  day: "Day",
  model: "Model",
  key: "Key",
  user: "User",
  team: "Team",
  conversation: "Conversation",
};

const GROUPS = SpendGroup.options.map((value) => ({ value, label: GROUP_NAMES[value] }));
const SPAN_CHOICES = SPANS.map((days) => ({ value: String(days), label: `${days} days` }));

/** What models have cost: by day as bars, by anything else as a table, and the last single calls. */
export function SpendScreen() {
  const { by = "model", days = 30 }: SpendPlace = useSearch({ from: "/settings/spend" });
  const navigate = useNavigate({ from: "/settings/spend" });
  const go = (place: SpendPlace) => report(navigate({ search: { by, days, ...place }, replace: true }));
  const from = startOf(days, useNow(60_000));
  const toSpan = (text: string) => SPANS.find((span) => String(span) === text) ?? 30;
  return (
    <>
      <Section title="Spend">
        <div className="mb-3 flex flex-wrap items-end gap-3">
          <Choices
            label="The last"
            value={String(days)}
            options={SPAN_CHOICES}
            onValue={(text) => go({ days: toSpan(text) })}
          />
          <Choices label="By" value={by} options={GROUPS} onValue={(value) => go({ by: value })} />
          <a
            href={`/api/gateway/spend.csv?by=${by}&from=${from}`}
            download
            className="inline-flex min-h-8 items-center gap-1.5 rounded-ui border border-line-strong bg-raised px-2.5 font-medium hover:bg-hover max-md:min-h-10"
          >
            <Download size={14} aria-hidden />
            CSV
          </a>
        </div>
        <DayBars days={days} from={from} />
        <Sums by={by} from={from} />
      </Section>
      <LastCalls from={from} />
    </>
  );
}

function DayBars({ days, from }: { readonly days: Span; readonly from: number }) {
  const { client } = useServices();
  const { data } = useQuery(gatewaySpendQuery(client, "day", from));
  const costs = new Map(data?.rows.map((row) => [row.group, row]));
  const bars = daysUntil(days, from + (days - 1) * 86_400_000).map((day) => {
    const row = costs.get(day);
    const title = `${day}: ${formatMoney(row?.costUsd ?? 0)}, ${plural(row?.calls ?? 0, "call")}`;
    return { name: day, value: row?.costUsd ?? 0, title };
  });
  return (
    <div className="mb-4">
      <Total days={days} rows={data?.rows ?? []} />
      <Bars label={`Cost of each of the last ${days} days`} bars={bars} />
      <p aria-hidden className="flex justify-between text-small text-ink-3">
        <span>{bars[0]?.name}</span>
        <span>{bars.at(-1)?.name}</span>
      </p>
    </div>
  );
}

function Total({ days, rows }: { readonly days: Span; readonly rows: readonly SpendRow[] }) {
  const sum = (name: "costUsd" | "savedUsd" | "unpriced") => rows.reduce((total, row) => total + row[name], 0);
  const saved = sum("savedUsd");
  const unpriced = sum("unpriced");
  return (
    <>
      <p className="mb-1 text-title font-semibold tabular-nums">{formatMoney(sum("costUsd"))}</p>
      <p className="mb-2 text-small text-ink-2">
        in {days} days
        {saved > 0 && `, ${formatMoney(saved)} saved by cached answers`}
        {unpriced > 0 && (
          <span className="text-warn">, {plural(unpriced, "call")} without a known price not counted</span>
        )}
      </p>
    </>
  );
}

function Sums({ by, from }: { readonly by: SpendGroup; readonly from: number }) {
  const { client } = useServices();
  const { data, error } = useQuery(gatewaySpendQuery(client, by, from));
  if (error !== null) return <Failure error={error} />;
  if (data === undefined) return null;
  if (data.rows.length === 0) return <Empty>Nothing was asked of a model in this time.</Empty>;
  return (
    <Table label={`Spend by ${by}`} columns={columnsFor(by, data.rows)} rows={data.rows} keyOf={(row) => row.group} />
  );
}

const NUMBERS: readonly Column<SpendRow>[] = [
  { name: "Cost", number: true, cell: (row) => formatMoney(row.costUsd) },
  { name: "Calls", number: true, cell: (row) => formatCount(row.calls) },
  { name: "Failed", number: true, cell: (row) => (row.failed === 0 ? "" : formatCount(row.failed)) },
  { name: "From cache", number: true, cell: (row) => (row.cached === 0 ? "" : formatCount(row.cached)) },
  { name: "Tokens in", number: true, cell: (row) => formatCount(row.promptTokens) },
  { name: "cached", number: true, cell: (row) => formatCount(row.cacheReadTokens) },
  { name: "Tokens out", number: true, cell: (row) => formatCount(row.answerTokens) },
];

/** The days have their chart above; all else has a bar beside its name, as long as its part of the dearest. */
function columnsFor(by: SpendGroup, rows: readonly SpendRow[]): readonly Column<SpendRow>[] {
  const most = Math.max(...rows.map(({ costUsd }) => costUsd), 0);
  const first: Column<SpendRow> = {
    name: GROUP_NAMES[by],
    cell: ({ label, costUsd }) => (
      <span className="flex flex-col gap-0.5">
        <span className="[overflow-wrap:anywhere]">{label === "" ? "none" : label}</span>
        {by !== "day" && most > 0 && (
          <span aria-hidden className="block h-1 w-32 overflow-hidden rounded bg-hover">
            <span className="block h-full bg-accent-solid" style={{ width: `${(costUsd / most) * 100}%` }} />
          </span>
        )}
      </span>
    ),
  };
  return [first, ...NUMBERS];
}
