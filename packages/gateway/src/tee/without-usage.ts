import { at, listAt, parseJson } from "@handrail/models/json";
import { sseSplitter } from "../codecs/sse.ts";
import { eventsIn } from "./event-cutter.ts";

/** Whole events of Chat Completions without those that hold only the usage that the gateway asked for. */
export function withoutUsage(bytes: Buffer): Buffer {
  if (!bytes.includes('"usage"')) return bytes;
  const events = eventsIn(bytes);
  const kept = events.filter((event) => !holdsOnlyUsage(event));
  return kept.length === events.length ? bytes : Buffer.concat(kept);
}

function holdsOnlyUsage(event: Buffer): boolean {
  if (!event.includes('"usage"')) return false;
  const [data] = sseSplitter().push(event);
  const chunk = data === undefined ? undefined : parseJson(data);
  const usage = at(chunk, "usage");
  return Array.isArray(at(chunk, "choices")) && listAt(chunk, "choices").length === 0 && isObject(usage);
}

const isObject = (value: unknown) => typeof value === "object" && value !== null;
