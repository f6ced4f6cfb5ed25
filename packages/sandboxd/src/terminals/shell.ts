import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPty, type Pty } from "../pty.ts";
import { markerParser, markerPrefix, type Piece } from "./markers.ts";
import { processRow, signalProcess } from "./processes.ts";

export type ShellOptions = {
  /** bash, or any POSIX shell. */
  readonly program: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** For the files that set the shell up. */
  readonly stateDirectory: string;
  readonly columns: number;
  readonly rows: number;
  readonly onPiece: (piece: Piece) => void;
};

/** An interactive shell that says in its output when a command starts and ends. */
export type Shell = Pty & {
  /** The line of a command file that says that the command starts. */
  startLine(id: string): string;
  /** Whether it is the shell that reads what is typed, and no program that it runs; true where the kernel does not say. */
  inForeground(): boolean;
  /** Asks the program in the foreground to end. */
  interrupt(): void;
};

/** Starts a shell on a pseudo-terminal; its prompt is the user's own. */
export function startShell(options: ShellOptions): Shell {
  const nonce = randomBytes(12).toString("hex");
  const parse = markerParser(nonce);
  const { argv, env } = setUp(options, nonce);
  const pty = openPty({
    argv,
    env: { ...options.env, ...env },
    cwd: options.cwd,
    columns: options.columns,
    rows: options.rows,
    onData: (bytes) => {
      for (const piece of parse(bytes)) options.onPiece(piece);
    },
  });
  return {
    ...pty,
    startLine: (id) => `printf '${octal(markerPrefix(nonce))}start;${id}\\007'\n`,
    inForeground: () => {
      const row = processRow(pty.pid);
      return row !== undefined && (row.foreground === row.group || row.foreground === 0);
    },
    interrupt: () => {
      const group = processRow(pty.pid)?.foreground ?? 0;
      // A program may have taken the key's meaning away, so the signal is better where it is known whom to send it.
      if (group > 0) signalProcess(-group, "SIGINT");
      else pty.write(INTERRUPT_KEY);
    },
  };
}

/** Ctrl-C, of which the terminal makes a signal to the group in its foreground (termios(3), VINTR). */
const INTERRUPT_KEY = Buffer.from("\u0003");

/**
 * A session leader that opens a terminal gets it as its own (tty_ioctl(4)). Bash opens it again by itself; other shells
 * do not, and have no job control without it.
 */
const OWN_TERMINAL = 'exec "$0" -i <>/proc/self/fd/0 >&0 2>&0';

function setUp(options: ShellOptions, nonce: string): { argv: string[]; env: Record<string, string> } {
  const directory = join(options.stateDirectory, "shells");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, nonce);
  if (!options.program.endsWith("/bash")) {
    writeFileSync(file, posixSetUp(nonce), { mode: 0o600 });
    return { argv: ["/bin/sh", "-c", OWN_TERMINAL, options.program], env: { ENV: file } };
  }
  writeFileSync(file, bashSetUp(nonce), { mode: 0o600 });
  return { argv: [options.program, "--rcfile", file, "-i"], env: {} };
}

/** The ready marker closes the prompt; where a user's prompt command rewrites PS1 it is put back before each prompt. */
function bashSetUp(nonce: string): string {
  const prefix = octal(markerPrefix(nonce));
  return [
    "if [ -f ~/.bashrc ]; then . ~/.bashrc; elif [ -f /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi",
    "HISTCONTROL=ignoreboth",
    `__handrail_prompt() { local code=$?; printf '${prefix}prompt;%s;%s\\007' "$code" "$PWD"; return "$code"; }`,
    `__handrail_ready() { local code=$?; case $PS1 in *'7717;'*) ;; *) PS1="$PS1"'\\[${prefix}ready\\007\\]';; esac; return "$code"; }`,
    // Lines of their own: a user's prompt command may end in a semicolon.
    `PROMPT_COMMAND=$'__handrail_prompt\\n'"\${PROMPT_COMMAND:-:}"$'\\n__handrail_ready'`,
    "",
  ].join("\n");
}

/** POSIX shells expand parameters in PS1 (XCU §2.5.3). The markers are literal, for shells that know no `\[`. */
function posixSetUp(nonce: string): string {
  const prefix = markerPrefix(nonce);
  return ["unset ENV", `PS1='${prefix}prompt;'"\\$?;\\$PWD"'\u0007$ ${prefix}ready\u0007'`, ""].join("\n");
}

const octal = (text: string) => text.replace(/\u001b/g, "\\033");
