/** A name for a new terminal of the user, next to those that there are. */
export function newTerminalName(taken: readonly string[]): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? "you" : `you-${number}`;
    if (!taken.includes(name)) return name;
  }
}
