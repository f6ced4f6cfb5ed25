import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SNAPSHOT_ATTACKS } from "./cases/snapshot-attacks.ts";
import { WORKSPACE_ATTACKS } from "./cases/workspace-attacks.ts";
import { openStage, STAGES, type Stage, type StagedSandbox } from "./stage.ts";

for (const name of STAGES) {
  describe(`${name}: a trap in the workspace that tries`, () => {
    let stage: Stage;
    let sandbox: StagedSandbox;
    beforeAll(async () => {
      stage = await openStage(name);
      sandbox = await stage.start();
    });
    afterAll(() => stage?.end());
    test.each([...WORKSPACE_ATTACKS, ...SNAPSHOT_ATTACKS].map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, does not get it",
      async (_id, _tries, attack) => {
        expect(await attack.run(sandbox)).toMatch(/^HELD/);
      },
    );
  });
}
