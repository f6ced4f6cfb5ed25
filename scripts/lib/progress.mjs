/** Says on stderr what goes on; stdout is the program's own. */
export function progress(sentence) {
  process.stderr.write(`handrail: ${sentence}\n`);
}
