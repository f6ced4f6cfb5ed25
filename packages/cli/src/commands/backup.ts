import path from "node:path";
import type { Command } from "commander";
import { backupHome } from "../backup-home.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";

/** `handrail backup`: the whole state in one file, also while the server runs. */
export function addBackupCommand(program: Command, context: Context): void {
  program
    .command("backup")
    .argument("<file>", "the archive to write, such as handrail.tar.gz")
    .description("write the whole state to a file, also while the server runs")
    .addHelpText(
      "after",
      `\nTo restore it, unpack it into an empty state directory: tar -xzf FILE -C DIR\n${EXIT_HELP}`,
    )
    .action(async (file: string) => {
      const target = path.resolve(context.cwd, file);
      await backupHome(context.home, target);
      context.screen.out(`The state is in ${target}. It holds conversations and keys: keep it as safe as those.\n`);
    });
}
