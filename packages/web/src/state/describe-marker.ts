import type { LimitName } from "@handrail/protocol/limits";
import type { MarkerItem } from "@handrail/protocol/transcript-items";
import { askedPlace } from "@handrail/protocol/asked-place";
import { describeLimits, describeNetwork } from "./describe-settings.ts";
import { formatBytes, formatCount, formatDuration, formatMoney, plural } from "./format.ts";

/** An event as one quiet line. */
export type MarkerLine = { readonly tone: "plain" | "ok" | "warn" | "bad"; readonly text: string };

type Marker = MarkerItem["event"];
type MarkerOf<Type extends Marker["type"]> = Extract<Marker, { type: Type }>;

const plain = (text: string): MarkerLine => ({ tone: "plain", text });

/** How an event reads as one line. `tookMs` is how long the run took, where it ended one. */
export function describeMarker({ event, tookMs, asked }: Pick<MarkerItem, "event" | "tookMs" | "asked">): MarkerLine {
  if (event.type === "network.answered" && asked !== undefined)
    return plain(`${askedPlace(asked)}: ${ANSWERS[event.answer].toLowerCase()}`);
  const describe = DESCRIBE[event.type] as (event: Marker, tookMs: number | null) => MarkerLine;
  return describe(event, tookMs);
}

const DESCRIBE: {
  readonly [Type in Marker["type"]]: (event: MarkerOf<Type>, tookMs: number | null) => MarkerLine;
} = {
  "conversation.created": () => plain("Conversation created"),
  "conversation.renamed": (event) => plain(`Renamed to “${event.title}”`),
  "conversation.archived": () => plain("Archived"),
  "conversation.unarchived": () => plain("Brought back from the archive"),
  "conversation.configured": describeConfigured,
  "workspace.prepared": (event) =>
    plain(
      `Workspace ready: ${plural(event.files, "file")}, ${formatBytes(event.bytes)}` +
        (event.branch === undefined ? "" : `, branch ${event.branch}`) +
        (event.commit === undefined ? "" : ` at ${event.commit.slice(0, 10)}`),
    ),
  "setup.started": (event) => plain(`Setting up the workspace: ${event.command}`),
  "setup.ended": describeSetup,
  "instructions.loaded": (event) => plain(`Read the repository's instructions from ${event.path}`),
  "sandbox.started": (event) => plain(`Sandbox started: ${event.backend}, ${formatDuration(event.durationMs)}`),
  "sandbox.stopped": (event) => plain(`Sandbox stopped: ${STOP_REASONS[event.reason]}. It starts again when needed`),
  "sandbox.lost": (event) => ({ tone: "warn", text: `Sandbox lost: ${event.detail}` }),
  "result.delivered": (event) => ({
    tone: "ok",
    text: `${DELIVERED[event.kind]} ${event.ref}, ${plural(event.files, "file")}`,
  }),
  "run.started": () => plain("Run started"),
  "run.resumed": () => plain("The server restarted; the run goes on from its log"),
  "run.ended": describeRunEnd,
  "notice.added": (event) => ({ tone: "warn", text: event.text }),
  "limit.reached": (event) => ({
    tone: "warn",
    text: `Limit reached: ${LIMIT_NAMES[event.limit]} of the ${event.scope}, ${limitValue(event.limit, event.value)} of ${limitValue(event.limit, event.max)}`,
  }),
  "network.asked": (event) => ({ tone: "warn", text: `The sandbox asks for ${askedPlace(event)}` }),
  "network.answered": (event) => plain(ANSWERS[event.answer]),
  "network.limited": (event) => ({
    tone: "warn",
    text: `Network limit reached: ${NETWORK_LIMITS[event.limit](event.max)}. Requests are refused`,
  }),
  "stuck.detected": (event) => ({
    tone: "warn",
    text: `Going in circles: ${event.detail}${event.action === "told" ? " The agent was told" : " The run was stopped"}`,
  }),
};

const ANSWERS = {
  once: "Allowed once",
  here: "Allowed in this conversation",
  always: "Allowed always",
  deny: "Not allowed",
  expired: "Nobody answered for a day",
} as const;

const NETWORK_LIMITS = {
  bytes: (max: number) => `${formatBytes(max)} in all`,
  requestsPerMinute: (max: number) => `${formatCount(max)} requests a minute`,
  connections: (max: number) => `${plural(max, "connection")} at a time`,
} as const;

const STOP_REASONS = {
  idle: "it was idle",
  archived: "the conversation was archived",
  deleted: "the conversation was deleted",
  shutdown: "the server stopped",
  user: "you stopped it",
} as const;

const DELIVERED = {
  patch: "Patch downloaded:",
  applied: "Applied to",
  branch: "Committed to",
  push: "Pushed to",
} as const;

const LIMIT_NAMES: Readonly<Record<LimitName, string>> = {
  maxCostUsd: "cost",
  maxSteps: "steps",
  maxTokens: "tokens",
  maxTimeMs: "time",
};

function limitValue(limit: LimitName, value: number): string {
  if (limit === "maxCostUsd") return formatMoney(value);
  if (limit === "maxTimeMs") return formatDuration(value);
  return formatCount(value);
}

function describeConfigured(event: MarkerOf<"conversation.configured">): MarkerLine {
  const parts = [
    event.model === undefined ? [] : [`model ${event.model}`],
    event.network === undefined ? [] : [describeNetwork(event.network)],
    event.limits === undefined ? [] : [`conversation ${describeLimits(event.limits)}`],
    event.runLimits === undefined ? [] : [`each run ${describeLimits(event.runLimits)}`],
  ];
  return plain(`Settings changed: ${parts.flat().join("; ")}`);
}

function describeSetup(event: MarkerOf<"setup.ended">): MarkerLine {
  const took = formatDuration(event.durationMs);
  const { outcome, reused, exitCode, command } = event;
  if (reused !== undefined) {
    const made = `${plural(reused.files, "file")}, ${formatBytes(reused.bytes)}`;
    return plain(
      `Set up from an earlier conversation in ${took}: ${made}. ${command} took ${formatDuration(reused.ranMs)} then`,
    );
  }
  if (outcome === "ok") {
    const kept = event.kept ? "Kept for later conversations" : (event.notKept ?? "");
    return plain(`Ran ${command} · exit 0 · ${took}${kept === "" ? "" : ` · ${kept}`}`);
  }
  if (outcome === "limited") {
    return { tone: "warn", text: `Stopped ${command} after ${took}: it took too long${lastLine(event.output)}` };
  }
  if (outcome === "cancelled")
    return plain(`Set-up interrupted after ${took}. It runs again when the sandbox is needed`);
  const exit = exitCode === null ? "" : ` · exit ${exitCode}`;
  const text = `Set-up failed: ${command}${exit} · ${took}${tellingLine(event.output)}. The conversation goes on without it`;
  return { tone: "warn", text };
}

const linesOf = (output: string): readonly string[] => output.trim().split(/[\r\n]+/);

const lastLine = (output: string): string => shortLine(linesOf(output).at(-1));

/** The first that speaks of an error: what comes last is often where a log is. */
function tellingLine(output: string): string {
  const lines = linesOf(output);
  return shortLine(lines.find((line) => /\b(error|err!|fatal|failed|cannot|not found)/i.test(line)) ?? lines.at(-1));
}

const shortLine = (line = ""): string => (line === "" ? "" : ` · ${line.slice(0, 300)}`);

const RUN_ENDS = {
  done: { tone: "ok", word: "Done" },
  asked: { tone: "plain", word: "Asked you" },
  failed: { tone: "bad", word: "Failed" },
  cancelled: { tone: "plain", word: "Stopped by you" },
  limited: { tone: "warn", word: "Stopped at a limit" },
} as const;

function describeRunEnd(event: MarkerOf<"run.ended">, tookMs: number | null): MarkerLine {
  const { tone, word } = RUN_ENDS[event.outcome];
  const took = tookMs === null ? "" : ` after ${formatDuration(tookMs)}`;
  const told = event.outcome === "failed" && event.detail !== "" ? `: ${event.detail}` : "";
  return { tone, text: `${word}${took}${told}` };
}
