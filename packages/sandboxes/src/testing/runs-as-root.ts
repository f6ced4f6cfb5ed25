/** Whether this process is root. It says what is not tested otherwise. */
export function runsAsRoot(what: string): boolean {
  const asRoot = process.getuid?.() === 0;
  if (!asRoot) process.stdout.write(`${what} is not tested: that takes root.\n`);
  return asRoot;
}
