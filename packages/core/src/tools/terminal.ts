import type { TerminalReport } from "@handrail/protocol/sandboxd/terminal-operations";
import { z } from "zod";
import type { Sandbox } from "../ports/sandbox.ts";
import { defineTool, textAnswer, type ToolAnswer, type ToolContext } from "./tool.ts";

const CAP_BYTES = 24_000;
const DEFAULT_SECONDS = 60;

const schema = z.strictObject({
  command: z.string().min(1).optional(),
  terminal: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
    .optional()
    .describe("default main; other names open more shells"),
  input: z.string().optional().describe("text to type into what runs"),
  key: z.string().optional().describe("enter, ctrl-c, ctrl-d, up, esc, tab, …"),
  kill: z.boolean().optional(),
  timeout_seconds: z.number().min(0).max(3600).optional().describe(`soft, default ${DEFAULT_SECONDS}`),
});
type Args = z.infer<typeof schema>;

/** Persistent shells: run a command, wait for one, type into one, kill one. */
export const terminal = defineTool<Args>({
  name: "terminal",
  place: "sandbox",
  parallel: false,
  description:
    "Persistent shell in the workspace; directory and variables stay. Give `command` to run one. After the soft timeout it goes on and you get what there is: call again with no command to wait, with `input` or `key` to type, or with `kill`. Long-lived servers: a terminal of their own. Long output is cut in the middle; the whole is in a file.",
  schema: schema.refine(
    (args) => args.command === undefined || (args.input === undefined && args.key === undefined && args.kill !== true),
    "Give a command, or input, or a key, or kill: one of them.",
  ),
  run: async (args, context) => reportAnswer(await operate(args, context)),
});

function operate(args: Args, { sandbox, options }: ToolContext): Promise<TerminalReport> {
  const name = args.terminal ?? "main";
  const place = { terminal: name, capBytes: CAP_BYTES };
  const timeoutMs = Math.round((args.timeout_seconds ?? DEFAULT_SECONDS) * 1000);
  if (args.command !== undefined) {
    return sandbox.call("terminal.run", { ...place, command: args.command, timeoutMs }, options);
  }
  if (args.kill === true) return sandbox.call("terminal.kill", place, options);
  if (args.input !== undefined || args.key !== undefined) return send(sandbox, args, { ...place, timeoutMs }, options);
  return sandbox.call("terminal.wait", { ...place, timeoutMs }, options);
}

function send(
  sandbox: Sandbox,
  args: Args,
  place: { terminal: string; capBytes: number; timeoutMs: number },
  options: ToolContext["options"],
): Promise<TerminalReport> {
  const typed = {
    ...(args.input === undefined ? {} : { text: args.input }),
    ...(args.key === undefined ? {} : { key: args.key }),
  };
  return sandbox.call("terminal.send", { ...place, ...typed }, options);
}

function reportAnswer(report: TerminalReport): ToolAnswer {
  const output = report.output.trimEnd();
  const file =
    report.outputFile === undefined ? "" : `\n[cut; all ${report.outputBytes} bytes are in ${report.outputFile}]`;
  return textAnswer(`${output}${output === "" ? "" : "\n"}${endingOf(report)}${file}`, {
    exitCode: report.exitCode,
    running: report.running,
    terminal: report.terminal,
    outputBytes: report.outputBytes,
    ...(report.outputFile === undefined ? {} : { outputFile: report.outputFile }),
  });
}

function endingOf(report: TerminalReport): string {
  if (report.running) return `[still running in terminal ${report.terminal}]`;
  if (report.exitCode === null) return "[the shell ended; the next command starts a new one]";
  return `[exit ${report.exitCode}, in ${report.cwd}]`;
}
