import type { GatewayCall } from "@handrail/protocol/gateway";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Age } from "../../components/age.tsx";
import { Empty, Failure } from "../../components/empty.tsx";
import { Section } from "../../components/section.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatCount, formatDuration, formatMoney } from "../../state/format.ts";
import { gatewayCallsQuery } from "../../state/gateway-queries.ts";
import { useServices } from "../../state/services.ts";

/** The last calls, each with how it ended and what it cost. */
export function LastCalls({ from }: { readonly from: number }) {
  const { client } = useServices();
  const { data, error } = useQuery(gatewayCallsQuery(client, from));
  return (
    <Section title="Last calls">
      {error !== null && <Failure error={error} />}
      {data?.calls.length === 0 && <Empty>No call yet.</Empty>}
      {data !== undefined && data.calls.length > 0 && (
        <Table label="Calls, newest first" columns={COLUMNS} rows={data.calls} keyOf={(call) => call.callId} />
      )}
    </Section>
  );
}

const OUTCOMES: Readonly<Record<GatewayCall["outcome"], { readonly word: string; readonly tone: string }>> = {
  ok: { word: "done", tone: "text-ok" },
  cached: { word: "from cache", tone: "text-ok" },
  failed: { word: "failed", tone: "text-bad" },
  aborted: { word: "client left", tone: "text-warn" },
  broken: { word: "broke off", tone: "text-bad" },
  lost: { word: "outcome unknown", tone: "text-warn" },
};

const COLUMNS: readonly Column<GatewayCall>[] = [
  { name: "When", cell: (call) => <Age at={call.at} /> },
  { name: "Model", cell: (call) => <span className="[overflow-wrap:anywhere]">{call.model}</span> },
  { name: "For", cell: (call) => <Whose call={call} /> },
  {
    name: "Ended",
    cell: ({ outcome, errorCode }) => (
      <span className={OUTCOMES[outcome].tone}>
        {OUTCOMES[outcome].word}
        {errorCode !== undefined && ` (${errorCode})`}
      </span>
    ),
  },
  { name: "Tokens in", number: true, cell: (call) => formatCount(call.promptTokens) },
  {
    name: "out",
    number: true,
    cell: (call) => `${formatCount(call.answerTokens)}${call.estimated ? ", estimated" : ""}`,
  },
  { name: "Time", number: true, cell: (call) => formatDuration(call.latencyMs) },
  { name: "Cost", number: true, cell: (call) => (call.priced ? formatMoney(call.costUsd) : "no price") },
];

function Whose({ call }: { readonly call: GatewayCall }) {
  if (call.conversationId === undefined) return call.keyName;
  return (
    <Link
      to="/conversations/$conversationId"
      params={{ conversationId: call.conversationId }}
      className="text-accent underline"
    >
      a conversation
    </Link>
  );
}
