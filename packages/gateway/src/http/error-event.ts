import { writeProblem } from "../codecs/problems.ts";
import type { Problem } from "../codecs/prompt.ts";
import { dataEvent, typedEvent } from "../codecs/sse.ts";
import type { ChatFormat } from "../ports/format.ts";

/** The event that tells a client, in its format, that its stream has failed. */
export function errorEvent(format: ChatFormat, problem: Problem): string {
  switch (format) {
    case "chat":
      return dataEvent(writeProblem("chat", problem));
    case "messages":
      return typedEvent({ ...writeProblem("messages", problem), type: "error" });
    case "responses":
      return typedEvent({
        type: "error",
        code: problem.code ?? "server_error",
        message: problem.message,
        param: null,
        sequence_number: 0,
      });
  }
}
