/** One thing that the palette can do. */
export type Command = {
  readonly id: string;
  readonly name: string;
  readonly keys: string;
  readonly run: () => void;
};

/** The commands whose names have every typed word in them, in the order given. Letters' case does not matter. */
export function matchCommands(commands: readonly Command[], text: string): readonly Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter((command) => words.every((word) => command.name.toLowerCase().includes(word)));
}
