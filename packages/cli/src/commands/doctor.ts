import type { Finding } from "@handrail/protocol/settings";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT, EXIT_HELP } from "../exit-codes.ts";
import type { Paint } from "../paint.ts";
import { plainLine } from "../plain-text.ts";
import { askServer } from "../reach-server.ts";

/** `handrail doctor`: what works on this machine, and what to do about what does not. */
export function addDoctorCommand(program: Command, context: Context): void {
  program
    .command("doctor")
    .description("say what works on this machine and what to do about what does not; 1 when no task could run")
    .option("--json", "print one JSON object a line")
    .addHelpText("after", EXIT_HELP)
    .action(async (options: { readonly json?: boolean }) => {
      const { findings } = await askServer(context, ({ client }) => client.doctor());
      for (const finding of findings) {
        const text = options.json === true ? JSON.stringify(finding) : findingText(finding, context.screen.paint);
        context.screen.out(`${text}\n`);
      }
      context.exit(couldRun(findings) ? EXIT.done : EXIT.failed);
    });
}

/** Whether the machine could run a task: git and one kind of sandbox are there. A model is a setting, not the machine. */
export function couldRun(findings: readonly Finding[]): boolean {
  const fine = (name: string) => findings.some((finding) => finding.name === name && finding.state !== "missing");
  return fine("git") && ["Docker", "Bubblewrap", "containerd"].some(fine);
}

const STATES = {
  ok: ["green", "ok     "],
  warning: ["yellow", "warning"],
  partial: ["yellow", "in part"],
  missing: ["red", "missing"],
} as const;

/** A finding as a line, and what to do about it as a second. */
export function findingText({ state, name, detail, remedy }: Finding, paint: Paint): string {
  const [color, word] = STATES[state];
  const line = `${paint(color, word)}  ${name}: ${plainLine(detail, 400)}`;
  return remedy === undefined ? line : `${line}\n         ${plainLine(remedy, 400)}`;
}
