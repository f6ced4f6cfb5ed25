import { AppError, toAppError } from "@handrail/protocol/errors";
import { Command, CommanderError } from "commander";
import { addAskCommands } from "./commands/asks.ts";
import { addBackupCommand } from "./commands/backup.ts";
import { addCheckpointCommands } from "./commands/checkpoints.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addExportCommand } from "./commands/export.ts";
import { addGatewayCommand } from "./commands/gateway.ts";
import { addKeysCommand } from "./commands/keys.ts";
import { addListCommand } from "./commands/list.ts";
import { addOpenCommand } from "./commands/open.ts";
import { addResumeCommand } from "./commands/resume.ts";
import { addRunCommand } from "./commands/run.ts";
import { addSecretsCommand } from "./commands/secrets.ts";
import { addSetupsCommand } from "./commands/setups.ts";
import { addShowCommand } from "./commands/show.ts";
import { addSpendCommand } from "./commands/spend.ts";
import { addStartCommand } from "./commands/start.ts";
import type { Context } from "./context.ts";
import { EXIT, EXIT_HELP, UsageError } from "./exit-codes.ts";
import { Interrupted } from "./interrupts.ts";
import { plainText } from "./plain-text.ts";

const COMMANDS = [
  addRunCommand,
  addListCommand,
  addShowCommand,
  addResumeCommand,
  addExportCommand,
  addDoctorCommand,
  addStartCommand,
  addGatewayCommand,
  addOpenCommand,
  addBackupCommand,
  addCheckpointCommands,
  addAskCommands,
  addSecretsCommand,
  addKeysCommand,
  addSpendCommand,
  addSetupsCommand,
];

/** Runs one command line, without the program's name. Gives the exit code; never rejects. */
export async function runCli(argv: readonly string[], context: Omit<Context, "exit">): Promise<number> {
  let code: number = EXIT.done;
  const program = newProgram({ ...context, exit: (value) => (code = value) });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (thrown) {
    return failure(thrown, context);
  }
}

function newProgram(context: Context): Command {
  const program = new Command("handrail")
    .description("Coding agents in sandboxes of their own.")
    .exitOverride()
    .configureOutput({ writeOut: context.screen.out, writeErr: context.screen.err })
    .configureHelp({ helpWidth: Math.min(100, context.screen.columns()) })
    .showHelpAfterError("See handrail --help, or handrail COMMAND --help.")
    .addHelpText("after", EXIT_HELP);
  for (const add of COMMANDS) add(program, context);
  return program;
}

function failure(thrown: unknown, { screen }: Omit<Context, "exit">): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (thrown instanceof Interrupted) return EXIT.interrupted;
  if (thrown instanceof UsageError) {
    screen.err(`${thrown.message}\n`);
    return EXIT.usage;
  }
  const error = toAppError(thrown);
  screen.err(`${plainText(error.message)} (${error.code})\n`);
  if (error.code === "internal" && error.cause instanceof Error) screen.err(`${plainText(error.cause.message)}\n`);
  return isUsage(error) ? EXIT.usage : EXIT.failed;
}

const USAGE_CODES: readonly string[] = ["bad_request", "source_invalid", "config_invalid", "checkpoint_unknown"];

/** What the server refuses because of what the command line says: that is no command, or names what is not there. */
const isUsage = ({ code }: AppError) => USAGE_CODES.includes(code) || code.endsWith("not_found");
