import type { ServerResponse } from "node:http";
import { ClientLeft } from "../http/read-body.ts";

/** What ends a call before its time: its client has left, or its time is over. */
export type Departure = {
  readonly signal: AbortSignal;
  end(reason: unknown): void;
  /** Says when an answer is as good as over. A client that leaves then does not end the call at once. */
  lingersWhile(nearlyOver: () => boolean): void;
  stop(): void;
};

/** Many clients leave at the last event. What the provider still says then is what the call has used. */
const LINGER_MS = 80;

export function watchDeparture(response: ServerResponse): Departure {
  const controller = new AbortController();
  let nearlyOver = () => false;
  let timer: NodeJS.Timeout | undefined;
  const leave = () => controller.abort(new ClientLeft("The client left."));
  const onClose = () => {
    if (response.writableFinished) return;
    if (nearlyOver()) timer = setTimeout(leave, LINGER_MS);
    else leave();
  };
  response.once("close", onClose);
  return {
    signal: controller.signal,
    end: (reason) => controller.abort(reason),
    lingersWhile: (check) => (nearlyOver = check),
    stop() {
      clearTimeout(timer);
      response.off("close", onClose);
    },
  };
}
