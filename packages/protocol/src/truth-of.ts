/** Of `true`, `1`, `yes` or `on`, and of `false`, `0`, `no`, `off` or nothing, in any case; undefined for other texts. */
export function truthOf(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (["true", "1", "yes", "on"].includes(word)) return true;
  return ["false", "0", "no", "off", ""].includes(word) ? false : undefined;
}
