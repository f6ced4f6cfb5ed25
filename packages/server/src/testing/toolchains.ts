import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";

/** The folder of this machine's Go, with `bin/go` in it; undefined when there is none. */
export const goFolder = (): string | undefined => said("go", ["env", "GOROOT"]);

/** The folder of this machine's Rust, with `bin/cargo` in it; undefined when there is none. */
export function cargoFolder(): string | undefined {
  // What rustup puts in the path only leads there.
  const program = said("rustup", ["which", "cargo"]) ?? said("sh", ["-c", "command -v cargo"]);
  return program === undefined ? undefined : join(dirname(program), "..");
}

function said(program: string, args: readonly string[]): string | undefined {
  try {
    const text = execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
