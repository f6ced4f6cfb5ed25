import type { Deployment } from "../ports/deployment.ts";
import type { Format } from "../ports/format.ts";
import type { Lane } from "../ports/lane.ts";
import type { Send } from "../ports/send.ts";
import { hasSdk, sdkLoader } from "../sdk/sources.ts";
import { formatsOf } from "../upstream/formats-of.ts";
import { passThroughLane } from "./pass-through.ts";

/** The lane of a format to a deployment; undefined when none leads there. */
export type LaneOf = (deployment: Deployment, format: Format) => Lane | undefined;

/** All lanes. What an installation does not use is never loaded. */
export function lanesOver(send: Send): LaneOf {
  const passThrough = passThroughLane(send);
  const translated = lazy(async () => {
    const { translatedLane } = await import("./translated.ts");
    return translatedLane({ send, speaks: formatsOf });
  });
  const sdk = lazy(async () => {
    const { sdkLane } = await import("./sdk.ts");
    return sdkLane({ load: sdkLoader() });
  });
  return (deployment, format) => {
    const spoken = formatsOf(deployment);
    if (spoken.includes(format)) return passThrough;
    const translatable = format !== "embeddings" && spoken.some((other) => other !== "embeddings");
    if (translatable) return translated;
    return hasSdk(deployment.provider) ? sdk : undefined;
  };
}

function lazy(load: () => Promise<Lane>): Lane {
  let loaded: Promise<Lane> | undefined;
  return async (call, signal) => {
    loaded ??= load();
    return (await loaded)(call, signal);
  };
}
