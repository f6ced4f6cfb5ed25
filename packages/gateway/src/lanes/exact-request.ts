import { exactJson } from "../codecs/exact-json.ts";
import type { Fields } from "../codecs/refuse.ts";
import type { LaneCall } from "../ports/lane.ts";

/** The request of a call. Messages holds arguments as values; their numbers are kept as they were written. */
export function exactRequest({ format, parsed, body }: LaneCall): Fields {
  if (format !== "messages" || !body.includes('"tool_use"')) return parsed;
  const { messages } = exactJson(body.toString("utf8")) as Fields;
  return { ...parsed, messages };
}
