import type { GatewayObserver } from "../ports/observer.ts";

/** Tells each of them, in order. */
export function observers(...all: readonly GatewayObserver[]): GatewayObserver {
  return {
    callStarted: () => all.forEach((one) => one.callStarted?.()),
    callEnded: (end) => all.forEach((one) => one.callEnded?.(end)),
    refused: (refused) => all.forEach((one) => one.refused?.(refused)),
    tried: (tried) => all.forEach((one) => one.tried?.(tried)),
    rested: (deployment, until) => all.forEach((one) => one.rested?.(deployment, until)),
    wrongKey: (from) => all.forEach((one) => one.wrongKey?.(from)),
    redacted: (count) => all.forEach((one) => one.redacted?.(count)),
  };
}
