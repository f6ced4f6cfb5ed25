import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { newId } from "@handrail/protocol/ids";
import { HOSTS, INSIDE } from "../sandbox-environment.ts";
import type { SandboxdPrograms } from "../sandboxd-programs.ts";
import { unlessAborted } from "../shared-work.ts";
import type { MadeNames } from "../labels/made-names.ts";
import { HOSTS_IN_PROGRAMS, LABEL } from "../labels/made-names.ts";
import type { Filler, Filling, FillParts } from "./fill-volumes.ts";
import { fillVolumes } from "./fill-volumes.ts";
import type { TextFile } from "./seccomp-files.ts";
import { SECCOMP_FILES } from "./seccomp-files.ts";

export type ProgramsParts = FillParts & {
  readonly names: MadeNames;
  /** Ends a filling that is under way. */
  readonly closing: AbortSignal;
};

/** The volume with the programs, and what the daemon's machine has it at; empty when the daemon does not say. */
export type ProgramsVolume = { readonly name: string; readonly directory: string };

/** What lies beside the programs. */
const FILES: readonly TextFile[] = [{ name: HOSTS_IN_PROGRAMS, text: HOSTS }, ...SECCOMP_FILES];

const FILL_PROGRAMS_MS = 300_000;

/**
 * The volume that holds sandboxd. Several servers may fill it at the same time, each one of its own: a daemon makes only
 * one volume of a name, so the first that says that its own is whole decides which one all take.
 */
export function programsVolume(parts: ProgramsParts, programs: SandboxdPrograms) {
  const { client, names, closing } = parts;
  const base = async () => names.programs(programsVersion(await programs.version()));
  let last = "";
  const find = async (): Promise<Found> => {
    const whole = client.findVolume(names.whole(await base()));
    // Nearly always the same one: it need not be waited for what its name is.
    const lastFound = last === "" ? undefined : client.findVolume(last);
    const [name, known] = await Promise.all([whole.then((volume) => volume?.labels[LABEL.programs]), lastFound]);
    if (name === undefined) return { said: false, volume: undefined };
    const found = name === last ? known : await client.findVolume(name);
    last = name;
    return { said: true, volume: found && { name, directory: found.directory } };
  };
  const fill = async (imageId: string): Promise<ProgramsVolume> => {
    const [before, version] = await Promise.all([find(), base()]);
    if (before.volume !== undefined) return before.volume;
    if (before.said) await client.removeVolume(names.whole(version));
    const own = `${version}-${newId("x", Date.now()).slice(-8)}`;
    const filling = { carrier: names.carrier(own), whole: names.whole(version), ...fillingOf(parts, programs, own) };
    try {
      const signal = AbortSignal.any([closing, AbortSignal.timeout(FILL_PROGRAMS_MS)]);
      await fillVolumes(parts, { ...filling, imageId, signal });
    } catch (thrown) {
      await client.removeVolume(own).catch(() => undefined);
      throw thrown;
    }
    const { volume: chosen } = await find();
    if (chosen !== undefined && chosen.name !== own) await client.removeVolume(own);
    return chosen ?? { name: own, directory: "" };
  };
  let filled: Promise<ProgramsVolume> | undefined;
  return {
    /** Its name, once it is filled. */
    name: async () => (await find()).volume?.name,
    /** After it was filled if need be: once for all that wait for it. */
    ensure: async ({ imageId, signal }: Filler): Promise<ProgramsVolume> => {
      closing.throwIfAborted();
      filled ??= fill(imageId).finally(() => (filled = undefined));
      return unlessAborted(filled, signal);
    },
    /** Settles once nothing is being filled. Never rejects. */
    settled: async (): Promise<void> => {
      await filled?.catch(() => undefined);
    },
  };
}

/** Whether it is said of a volume that it is whole, and that volume where it is there: somebody may have removed it. */
type Found = { readonly said: boolean; readonly volume: ProgramsVolume | undefined };

/** Changes with any byte of what the volume holds. */
function programsVersion(sandboxd: string): string {
  const names = SECCOMP_FILES.map(({ name }) => name);
  return createHash("sha256")
    .update(JSON.stringify([sandboxd, names]))
    .digest("hex")
    .slice(0, 12);
}

function fillingOf(
  { names }: ProgramsParts,
  programs: SandboxdPrograms,
  volume: string,
): Pick<Filling, "labels" | "owner" | "contents"> {
  const directories = [dirname(HOSTS_IN_PROGRAMS)];
  const content = { volume, target: INSIDE.programs, directories, files: FILES, tree: programs.directory };
  return {
    labels: { [LABEL.installation]: names.installation, [LABEL.programs]: volume, ...names.madeHere() },
    owner: 0,
    contents: [content],
  };
}
