import { bytesOf, millisecondsOf } from "@handrail/protocol/measures";
import { truthOf } from "@handrail/protocol/truth-of";

/** What is wrong with an option's text, such as `must be a whole number`; undefined when nothing is. Small, so that the program starts fast. */
export type TextRule = (text: string) => string | undefined;

/** From one character to `most`. */
export const text =
  (most: number): TextRule =>
  (given) =>
    given.length >= 1 && given.length <= most ? undefined : `must have from 1 to ${most} characters`;

/** A whole number in a range, both ends within it. */
export const whole =
  (least: number, most: number): TextRule =>
  (given) => {
    if (!/^\d{1,12}$/.test(given)) return "must be a whole number";
    return Number(given) >= least && Number(given) <= most ? undefined : `must be from ${least} to ${most}`;
  };

/** An amount of money. */
export const price: TextRule = (given) => (/^\d{1,9}(?:\.\d+)?$/.test(given) ? undefined : "must be a number");

/** A URL of http or https. */
export const address: TextRule = (given) =>
  /^https?:$/.test(URL.parse(given)?.protocol ?? "") ? undefined : "must begin with http:// or https://";

/** One of these words. */
export const listed =
  (words: readonly string[]): TextRule =>
  (given) =>
    words.includes(given) ? undefined : `must be one of ${words.join(", ")}`;

/** Yes or no. */
export const truth: TextRule = (given) => (truthOf(given) === undefined ? "must be true or false" : undefined);

/** A number of bytes. */
export const size: TextRule = (given) =>
  bytesOf(given) === undefined ? "must be a size such as 512m or 4g" : undefined;

/** A length of time. */
export const time: TextRule = (given) =>
  millisecondsOf(given) === undefined ? "must be a time such as 90s, 30m or 2h" : undefined;
