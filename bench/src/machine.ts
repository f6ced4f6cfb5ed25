import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

/** The machine that the figures are of, in one line. */
export function machineLine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? "unknown processor";
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  return `${processors.length} × ${model}, ${memory}, Linux ${release()}, node ${process.version}, Docker ${dockerVersion()}`;
}

function dockerVersion(): string {
  try {
    const asked = ["version", "--format", "{{.Server.Version}}"];
    return execFileSync("docker", asked, { timeout: 5000, stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch {
    return "none";
  }
}
