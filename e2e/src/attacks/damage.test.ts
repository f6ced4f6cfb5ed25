import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { newId } from "@handrail/protocol/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXHAUSTION_ATTACKS, type DamageAttack } from "./cases/damage-attacks.ts";
import { SANDBOXD_ATTACKS } from "./cases/sandboxd-attacks.ts";
import { sandboxdAttacksOn } from "./on-containerd.ts";
import { ALL_STAGES, openStage, type Stage, type StageBackend, type StagedSandbox } from "./stage.ts";

const RESERVE_BYTES = 512 * 1024 ** 2;

/** There one sandbox is attacked again and again, and each attack is shorter: a start takes longer. */
const SHARED = { backend: "containerd", forMs: 500 };

const attacksOn = (name: StageBackend): readonly DamageAttack[] => [
  ...(name === SHARED.backend ? [] : EXHAUSTION_ATTACKS),
  ...sandboxdAttacksOn(name, SANDBOXD_ATTACKS),
];
const sharedAttacksOn = (name: StageBackend) => (name === SHARED.backend ? EXHAUSTION_ATTACKS : []);

for (const name of ALL_STAGES) {
  describe(`${name}: beside a neighbour, a program in the sandbox that tries`, () => {
    let stage: Stage;
    let neighbour: StagedSandbox;
    beforeAll(async () => {
      stage = await openStage(name);
      neighbour = await stage.start();
    });
    afterAll(() => stage?.end());

    test.each(attacksOn(name).map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, harms only itself",
      async (_id, _tries, attack) => {
        const free = await freeBytes();
        const attacker = await stage.start();
        await attacker.shell("echo mine > /workspace/mine");
        await expectCalm(attack, attacker, neighbour);
        if (attack.id.startsWith("sandboxd.")) await expectUnharmed(attacker);
        await stage.backend.stop(attacker.conversationId);
        const again = await stage.start(attacker.conversationId);
        expect((await again.shell("cat /workspace/mine")).output).toBe("mine\n");
        await stage.backend.remove(attacker.conversationId);
        // Others fill the disk too, for a while.
        await expect.poll(freeBytes).toBeGreaterThan(free - RESERVE_BYTES);
      },
    );

    const shared = newId("c", Date.now());
    test.each(sharedAttacksOn(name).map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, harms only itself, and what it left can be taken away",
      async (_id, _tries, attack) => {
        const attacker = await stage.start(shared);
        await expectCalm({ ...attack, forMs: SHARED.forMs }, attacker, neighbour);
        const again = await stage.start(shared);
        await again.shell("kill -9 -1");
        const clean = "rm -rf /workspace/* ~/* /tmp/* /dev/shm/* /run/* 2>/dev/null; echo mine > /workspace/mine";
        // The kernel takes a moment to give back what killed programs had.
        const cleaned = async () => (await again.shell(`${clean}; cat /workspace/mine`)).output;
        await expect.poll(cleaned).toBe("mine\n");
      },
    );
  });
}

async function expectCalm(attack: DamageAttack, attacker: StagedSandbox, neighbour: StagedSandbox): Promise<void> {
  const { answers, latencies } = await besideNeighbour(attack, attacker, neighbour);
  process.stdout.write(
    `${attacker.sandbox.backend} ${attack.id}: neighbour ${answers.length} calls, ${latency(latencies)}\n`,
  );
  expect(new Set(answers)).toEqual(new Set(["0 calm"]));
}

/** sandboxd is the one that was there before, answers at once, and was neither read nor replaced. */
async function expectUnharmed(attacker: StagedSandbox): Promise<void> {
  const { sandbox } = attacker;
  const gone = await Promise.race([sandbox.gone, Promise.resolve("here")]);
  const { output } = await attacker.shell("cat /workspace/mine; cat /proc/1/comm");
  const started = await attacker.shell("for i in 1 2 3 4 5 6 7 8 9 10; do (true) & done; wait; echo $?");
  expect({ gone, output, started: started.output }).toEqual({
    gone: "here",
    output: "mine\nsandboxd\n",
    started: "0\n",
  });
}

/** What the neighbour was answered while the attack ran, and how long each answer took. */
async function besideNeighbour(attack: DamageAttack, attacker: StagedSandbox, neighbour: StagedSandbox) {
  const over = AbortSignal.timeout(attack.forMs);
  const running = attacker.shell(attack.script, attack.forMs).catch(() => undefined);
  const answers: string[] = [];
  const latencies: number[] = [];
  while (!over.aborted || answers.length < 5) {
    const at = performance.now();
    const { exitCode, output } = await neighbour.shell("echo calm", 30_000);
    latencies.push(performance.now() - at);
    answers.push(`${exitCode} ${output.trim()}`);
  }
  await Promise.race([running, sleep(attack.forMs)]);
  return { answers, latencies };
}

function latency(all: readonly number[]): string {
  const sorted = all.toSorted((one, other) => one - other);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]?.toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

/** Free space where sandboxes of this machine keep their files. */
async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs("/var");
  return bavail * bsize;
}
