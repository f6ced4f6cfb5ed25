import type { KeyRecord } from "./keys.ts";
import type { LedgerStart, Settlement } from "./ledger.ts";
import type { Deployment } from "./deployment.ts";
import type { LaneAnswer } from "./lane.ts";

/** A call that was let through, once it is over. Times in milliseconds. */
export type CallEnd = {
  readonly callId: string;
  readonly key: KeyRecord;
  /** The name of the group that answered, or was asked for where none did. */
  readonly group: string;
  readonly start: LedgerStart;
  readonly settlement: Settlement;
  readonly lane?: LaneAnswer["lane"];
  /** What the provider calls the model that answered. */
  readonly model?: string;
  /** Undefined where answers are not cached. */
  readonly cache?: "hit" | "miss";
  /** What the call took beyond waiting for the provider. */
  readonly overheadMs: number;
  /** The whole of the request's path, such as `/v1/messages`. */
  readonly route: string;
};

/** A call that was not let through. */
export type Refused = {
  readonly status: number;
  readonly code: string;
  readonly route: string;
  readonly key?: KeyRecord;
  readonly model?: string;
};

/** One try at one deployment. */
export type Tried = {
  readonly deployment: Deployment;
  readonly ok: boolean;
  /** 0 where no answer came. */
  readonly status: number;
  readonly errorCode?: string;
  /** Until the answer began. */
  readonly ms: number;
};

/** Is told what happens, for metrics, logs and traces. What it does not want it leaves out. Its calls do not throw. */
export type GatewayObserver = {
  callStarted?(): void;
  callEnded?(end: CallEnd): void;
  refused?(refused: Refused): void;
  tried?(tried: Tried): void;
  /** A deployment rests until then, in Unix milliseconds. */
  rested?(deployment: Deployment, until: number): void;
  /** A request came with a key that nobody has. `from`: its address, the last proxy's where there is one. */
  wrongKey?(from: string | undefined): void;
  /** Secrets were taken out of a request that many times. */
  redacted?(count: number): void;
};
