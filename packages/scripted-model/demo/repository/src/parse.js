import { UNITS } from "./units.js";

const PART = /(\d+(?:\.\d+)?)\s*([dhms])\s*/y;

/** Seconds of a text such as "1h 30m". */
export function parse(text) {
  let seconds = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const match = PART.exec(text);
    if (!match) throw new SyntaxError(`Not a duration: ${text}`);
    const unit = UNITS.find(({ symbol }) => symbol === match[2]);
    seconds += Number(match[1]) * unit.size;
  }
  return seconds;
}
