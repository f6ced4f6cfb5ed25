import { emptyHistogram, type Histogram } from "./histogram.ts";

/** Who called what, as metrics tell calls apart. All values are texts, empty where nothing is known. */
export type CallLabels = {
  readonly hashedApiKey: string;
  readonly apiKeyAlias: string;
  readonly team: string;
  readonly teamAlias: string;
  readonly user: string;
  /** The catalog's name for what was asked; `other` when it has none. */
  readonly modelGroup: string;
  /** The provider's name for the model. */
  readonly model: string;
  readonly modelId: string;
  readonly apiProvider: string;
  readonly apiBase: string;
  readonly route: string;
  readonly statusCode: string;
  readonly exceptionClass: string;
};

/** What was counted of the calls that share their labels. */
export type CallLine = {
  readonly labels: CallLabels;
  readonly sums: Sums;
  readonly total: Histogram;
  readonly upstream: Histogram;
  readonly firstByte: Histogram;
  readonly overhead: Histogram;
};

export type Sums = {
  calls: number;
  failed: number;
  /** The provider answered, or did not. */
  succeededThere: number;
  failedThere: number;
  costUsd: number;
  savedUsd: number;
  promptTokens: number;
  answerTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  audioInTokens: number;
  audioOutTokens: number;
  reasoningTokens: number;
  cacheHits: number;
  cacheMisses: number;
  cachedTokens: number;
  unpriced: number;
  estimated: number;
  retries: number;
};

const NO_SUMS: Sums = {
  calls: 0,
  failed: 0,
  succeededThere: 0,
  failedThere: 0,
  costUsd: 0,
  savedUsd: 0,
  promptTokens: 0,
  answerTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  audioInTokens: 0,
  audioOutTokens: 0,
  reasoningTokens: 0,
  cacheHits: 0,
  cacheMisses: 0,
  cachedTokens: 0,
  unpriced: 0,
  estimated: 0,
  retries: 0,
};

export type CallLines = {
  /** The line for such calls. Past the limit it is one without the caller's labels, and past twice the limit a single one. */
  lineOf(labels: CallLabels): CallLine;
  all(): readonly CallLine[];
};

/** At most twice `limit` lines and one, however many keys, users and models there are. */
export function callLines(limit: number): CallLines {
  const lines = new Map<string, CallLine>();
  return {
    lineOf(labels) {
      const known = lines.get(nameOf(labels));
      if (known) return known;
      const shown = lines.size < limit ? labels : anonymous(labels, lines.size < 2 * limit);
      const name = nameOf(shown);
      const line = lines.get(name) ?? emptyLine(shown);
      lines.set(name, line);
      return line;
    },
    all: () => [...lines.values()],
  };
}

const OTHER = "other";

function anonymous(labels: CallLabels, placed: boolean): CallLabels {
  const caller = { hashedApiKey: OTHER, apiKeyAlias: OTHER, team: OTHER, teamAlias: OTHER, user: OTHER };
  if (placed) return { ...labels, ...caller };
  const place = { modelGroup: OTHER, model: OTHER, modelId: OTHER, apiProvider: OTHER, apiBase: OTHER };
  return { ...caller, ...place, route: OTHER, statusCode: OTHER, exceptionClass: OTHER };
}

function nameOf(labels: CallLabels): string {
  return Object.values(labels).join("\u0000");
}

function emptyLine(labels: CallLabels): CallLine {
  return {
    labels,
    sums: { ...NO_SUMS },
    total: emptyHistogram(),
    upstream: emptyHistogram(),
    firstByte: emptyHistogram(),
    overhead: emptyHistogram(),
  };
}
