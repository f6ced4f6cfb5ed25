import { globSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FORGED_ATTACKS } from "./cases/forged-attacks.ts";
import { openStage, STAGES, type Stage, type StagedSandbox } from "./stage.ts";

const asRoot = process.getuid?.() === 0;
if (!asRoot) process.stdout.write("Skipped: only root can look at the tokens of other sandboxes.\n");

for (const name of STAGES) {
  describe.skipIf(!asRoot)(`${name}: with what belongs to another sandbox, a program that tries`, () => {
    const origins: string[] = [];
    let stage: Stage;
    let attacker: StagedSandbox;
    let given: Readonly<Record<string, unknown>>;
    let own: string[];
    beforeAll(async () => {
      stage = await openStage(name, ({ conversationId }, stream) => {
        origins.push(conversationId);
        stream.destroy();
      });
      const neighbour = await stage.start();
      const before = tokens();
      attacker = await stage.start();
      own = tokens().filter((token) => !before.includes(token));
      given = { TOKENS: before, NEIGHBOUR: neighbour.conversationId, PATHS: sockets() };
    });
    afterAll(() => stage?.end());

    test.each(FORGED_ATTACKS.map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, does not get it",
      async (id, _tries, { script, own: control }) => {
        expect(await attacker.attack(script, given)).toMatch(/^HELD/);
        if (id === "forged.request") expect(new Set(origins)).toEqual(new Set([attacker.conversationId]));
        if (control) expect(await attacker.attack(script, { ...given, TOKENS: own })).toBe("BREACH taken");
      },
    );
  });
}

/** The tokens of all sandboxes that run on this machine. */
function tokens(): string[] {
  return globSync("/proc/[0-9]*/environ").flatMap((file) => {
    const token = /(?:^|\0)HANDRAIL_LINK_TOKEN=([0-9a-f]+)(?:\0|$)/.exec(read(file))?.[1];
    return token === undefined ? [] : [token];
  });
}

/** The paths of the sockets of sandboxes in tests that run on this machine. */
const sockets = (): string[] => globSync(path.join(tmpdir(), "handrail-attacks-*/**/sandboxd.sock"));

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
