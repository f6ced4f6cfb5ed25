import type { Provider } from "../ports/deployment.ts";
import type { Writing } from "./options.ts";
import type { Prompt } from "./prompt.ts";
import type { Fields } from "./refuse.ts";

/** For whom a request is written. */
export type Target = Writing & {
  readonly provider: Provider;
  /** The provider's name for the model. */
  readonly model: string;
  readonly maxOutputTokens: number | undefined;
};

/** Writes a prompt as a request. @throws AppError `request_unsupported` */
export type WriteRequest = (prompt: Prompt, target: Target) => Fields;
