export type Color = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Puts a text into a colour, or leaves it as it is where colours are off. */
export type Paint = (color: Color, text: string) => string;

/** ECMA-48 §8.3.117, select graphic rendition. */
const CODES: Readonly<Record<Color, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

export const colored: Paint = (color, text) => (text === "" ? "" : `\x1b[${CODES[color]}m${text}\x1b[0m`);

export const uncolored: Paint = (_, text) => text;
