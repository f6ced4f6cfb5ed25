import type { Option } from "./option.ts";
import { OPTIONS, optionKey } from "./options.ts";

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.entries<Option>(OPTIONS).map(([name, option]) => {
    const flag = option.secret === true ? "" : `--${optionKey(name)}`;
    return `  ${flag.padEnd(28)} ${(option.env[0] ?? "").padEnd(28)} ${option.help}`;
  });
  return `Handrail: coding agents in sandboxes of their own.

Usage: npm start -- [options]

Every option can be a flag, an environment variable, or a key of handrail.yaml in the state directory
(the flag without --). Flags win over the environment, the environment over the file.

  ${"flag".padEnd(28)} ${"environment".padEnd(28)} meaning
${rows.join("\n")}
  ${"--config FILE".padEnd(57)} Read this file instead of handrail.yaml in the state directory.
  ${"--help".padEnd(57)} Show this text.

Exit codes: 0 stopped by a signal, 1 failed, 2 the configuration, the port or the state directory is not usable.
`;
}
