import type { SandboxProfile } from "@handrail/protocol/sources";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { INSIDE_ATTACKS as ATTACKS } from "./all-attacks.ts";
import { SNAPSHOT_ATTACKS } from "./cases/snapshot-attacks.ts";
import { WORKSPACE_ATTACKS } from "./cases/workspace-attacks.ts";
import { ALL_STAGES, DEV_STAGES, openStage, type Stage, type StageBackend, type StagedSandbox } from "./stage.ts";

const TRAPS = [...WORKSPACE_ATTACKS, ...SNAPSHOT_ATTACKS];
const CONTROLLED = ATTACKS.filter((attack) => attack.control !== undefined);

for (const name of ALL_STAGES) {
  describe(`${name}: a program in the sandbox that tries`, () => {
    const current = useSandbox(name);
    test.each(ATTACKS.map((attack) => [attack.id, attack.tries, attack.script] as const))(
      "%s, to %s, does not get it",
      async (_id, _tries, script) => {
        expect(await current().attack(script)).toMatch(/^HELD/);
      },
    );
    test.each(TRAPS.map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, by a trap for who calls from outside, to %s, does not get it",
      async (_id, _tries, attack) => {
        expect(await attack.run(current())).toMatch(/^HELD/);
      },
    );
  });
}

for (const name of DEV_STAGES) {
  describe(`${name}: a program that is root of a sandbox of the profile dev and tries`, () => {
    const current = useSandbox(name, "dev");
    test.each(ATTACKS.map(({ id, tries, script, dev = { tries, script } }) => [id, dev.tries, dev.script] as const))(
      "%s, to %s, does not get it",
      async (_id, _tries, script) => {
        expect(await current().attack(script)).toMatch(/^HELD/);
      },
    );
  });
}

const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("Not tested: without a sandbox most attacks succeed only for root.\n");

if (asRoot) {
  describe("without a sandbox, as root, the same program that tries", () => {
    const current = useSandbox("none");
    test.each(CONTROLLED.map((attack) => [attack.id, attack.tries, attack.script] as const))(
      "%s, to %s, gets it: the attack can succeed",
      async (_id, _tries, script) => {
        expect(await current().attack(script)).toMatch(/^BREACH (?!, or)/);
      },
    );
  });
}

function useSandbox(name: StageBackend, profile?: SandboxProfile): () => StagedSandbox {
  let stage: Stage | undefined;
  let sandbox: StagedSandbox | undefined;
  beforeAll(async () => {
    stage = await openStage(name);
    sandbox = await stage.start(undefined, profile);
  });
  afterAll(() => stage?.end());
  return () => {
    if (sandbox === undefined) throw new Error("The sandbox was not started.");
    return sandbox;
  };
}
