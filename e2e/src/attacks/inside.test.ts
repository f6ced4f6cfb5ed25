import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InsideAttack } from "./attack.ts";
import { CREDENTIAL_ATTACKS } from "./cases/credential-attacks.ts";
import { ESCAPE_ATTACKS } from "./cases/escape-attacks.ts";
import { KERNEL_ATTACKS } from "./cases/kernel-attacks.ts";
import { PROC_ATTACKS } from "./cases/proc-attacks.ts";
import { SNAPSHOT_ATTACKS } from "./cases/snapshot-attacks.ts";
import { WORKSPACE_ATTACKS } from "./cases/workspace-attacks.ts";
import { ALL_STAGES, openStage, type Stage, type StageBackend, type StagedSandbox } from "./stage.ts";

/** Attacks by a program that harms nothing but itself: one sandbox for all of them. */
const ATTACKS: readonly InsideAttack[] = [...ESCAPE_ATTACKS, ...KERNEL_ATTACKS, ...PROC_ATTACKS, ...CREDENTIAL_ATTACKS];
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

const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("Skipped: without a sandbox most attacks succeed only for root.\n");

describe.skipIf(!asRoot)("without a sandbox, as root, the same program that tries", () => {
  const current = useSandbox("none");
  test.each(CONTROLLED.map((attack) => [attack.id, attack.tries, attack.script] as const))(
    "%s, to %s, gets it: the attack can succeed",
    async (_id, _tries, script) => {
      expect(await current().attack(script)).toMatch(/^BREACH (?!, or)/);
    },
  );
});

function useSandbox(name: StageBackend): () => StagedSandbox {
  let stage: Stage | undefined;
  let sandbox: StagedSandbox | undefined;
  beforeAll(async () => {
    stage = await openStage(name);
    sandbox = await stage.start();
  });
  afterAll(() => stage?.end());
  return () => {
    if (sandbox === undefined) throw new Error("The sandbox was not started.");
    return sandbox;
  };
}
