/** Whether a name matches a pattern in which `*` stands for anything but `/` and `**` for anything. */
export function matchesGlob(pattern: string, name: string): boolean {
  const parts = pattern.split(/(\*+)/).filter((part) => part !== "");
  // The places in the name that the parts so far can lead to: no more than it has characters, so nothing explodes.
  let places = new Set([0]);
  for (const part of parts) {
    const next = new Set<number>();
    for (const place of places) for (const to of reached(part, name, place)) next.add(to);
    places = next;
  }
  return places.has(name.length);
}

function reached(part: string, name: string, from: number): readonly number[] {
  if (!part.startsWith("*")) return name.startsWith(part, from) ? [from + part.length] : [];
  const slash = part === "*" ? name.indexOf("/", from) : -1;
  const end = slash === -1 ? name.length : slash;
  return Array.from({ length: end - from + 1 }, (_, index) => from + index);
}
