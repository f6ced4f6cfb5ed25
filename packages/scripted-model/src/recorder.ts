/** A request as it came. `aborted`: the client left before its answer had ended. */
export type RecordedRequest = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed body. */
  readonly body: unknown;
  /** The body's own text, to compare prefixes byte by byte. */
  readonly text: string;
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly ended: boolean;
  readonly aborted: boolean;
};

export type Recorder = {
  add(request: Pick<RecordedRequest, "path" | "headers" | "body" | "text">): { end(aborted: boolean): void };
  /** Oldest first. A copy that later requests do not change. */
  all(): readonly RecordedRequest[];
};

/** Keeps the latest `keep` requests. */
export function recorder(keep: number): Recorder {
  const kept: { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] }[] = [];
  return {
    add(request) {
      const record = { ...request, at: Date.now(), ended: false, aborted: false };
      kept.push(record);
      if (kept.length > keep) kept.shift();
      return {
        end(aborted) {
          record.ended = true;
          record.aborted = aborted;
        },
      };
    },
    all: () => kept.map((record) => ({ ...record })),
  };
}
