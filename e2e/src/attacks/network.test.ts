import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BROKER_ATTACKS } from "./cases/broker-attacks.ts";
import { FLOODS } from "./cases/broker-strain-attacks.ts";
import { NETWORK_ATTACKS, NETWORK_PRELUDE, type NetworkAttack } from "./cases/network-attacks.ts";
import { hostileNetwork, type HostileNetwork } from "./hostile-network.ts";
import { ALL_STAGES, openStage, type Stage, type StageBackend, type StagedSandbox } from "./stage.ts";

const ALLOWED = `
answer = ask(get("http://%s/hello" % LISTED, LISTED))
held("answered") if "REACHED /hello" in answer else breach(answer)`;

/** The broker is outside and the same for all: on containerd only what goes around it is tried. */
const attacksOn = (name: StageBackend) =>
  name === "containerd" ? NETWORK_ATTACKS : [...NETWORK_ATTACKS, ...BROKER_ATTACKS];

for (const name of ALL_STAGES) {
  describe(`${name}: over the network, a program in the sandbox that tries`, () => {
    const attack = useNetwork(name);
    test("nothing but what is allowed gets it", async () => {
      expect(await attack("listed", ALLOWED)).toBe("HELD answered");
    });
    test.each(attacksOn(name).map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, does not get it",
      async (_id, _tries, { rule, script }) => {
        expect(await attack(rule, script)).toMatch(/^HELD/);
      },
    );
    test.each((name === "containerd" ? [] : FLOODS).map((attack) => [attack.id, attack.tries, attack] as const))(
      "%s, to %s, hinders itself: a neighbour is answered meanwhile, and itself afterwards",
      async (_id, _tries, { rule, script }) => {
        const [verdict, neighbour] = await Promise.all([attack(rule, script), attack("neighbour", ALLOWED)]);
        expect([verdict, neighbour]).toEqual([expect.stringMatching(/^HELD/), "HELD answered"]);
        expect(await attack(rule, ALLOWED)).toBe("HELD answered");
      },
    );
  });
}

describe("without a sandbox, the same program that tries", () => {
  const attack = useNetwork("none");
  test.each(
    NETWORK_ATTACKS.filter(({ control }) => control !== undefined).map(({ id, script }) => [id, script] as const),
  )("%s gets it: the attack can succeed", async (_id, script) => {
    expect(await attack("open", script)).toMatch(/^BREACH (?!, or)/);
  });
});

type Who = NetworkAttack["rule"] | "neighbour";

function useNetwork(name: StageBackend) {
  let network: HostileNetwork | undefined;
  let stage: Stage | undefined;
  const sandboxes = new Map<Who, StagedSandbox>();
  beforeAll(async () => {
    network = await hostileNetwork();
    stage = await openStage(name, network.egress);
    for (const who of ["open", "listed", "neighbour"] as const) {
      const sandbox = await stage.start();
      network.allow(sandbox.conversationId, who === "open" ? "open" : "listed");
      sandboxes.set(who, sandbox);
    }
  });
  afterAll(async () => {
    await stage?.end();
    network?.end();
  });
  return async (who: Who, script: string) => {
    const sandbox = sandboxes.get(who);
    if (sandbox === undefined) throw new Error("The sandbox was not started.");
    return sandbox.attack(NETWORK_PRELUDE + script, network?.variables, 150_000);
  };
}
